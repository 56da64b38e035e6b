// For the events that moved a signal besides another one.
// mode: schema
CREATE INDEX move_signal IF NOT EXISTS FOR (move:Move) ON (move.signal, move.position)
