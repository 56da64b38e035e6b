// For the events that moved a signal.
// mode: schema
CREATE INDEX event_signal IF NOT EXISTS FOR (event:Event) ON (event.signal, event.position)
