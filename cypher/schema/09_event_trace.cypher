// For pages of one trace.
// mode: schema
CREATE INDEX event_trace IF NOT EXISTS FOR (event:Event) ON (event.trace_id, event.position)
