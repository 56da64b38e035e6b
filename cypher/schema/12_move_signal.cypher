// What moved one signal beside others.
// mode: schema
CREATE INDEX move_signal IF NOT EXISTS FOR (move:Move) ON (move.signal, move.position)
