// Count the events that moved a signal, up to a position.
// mode: read
// param signal: STRING  key of the signal: scope:pattern
// param upto: INTEGER  only positions up to this
// returns count: INTEGER
CALL () {
  MATCH (event:Event) USING INDEX SEEK event:Event(signal, position)
  WHERE event.signal = $signal AND event.position <= $upto
  RETURN count(*) AS found
UNION ALL
  MATCH (move:Move) USING INDEX SEEK move:Move(signal, position)
  WHERE move.signal = $signal AND move.position <= $upto
  RETURN count(*) AS found
}
RETURN sum(found) AS count
