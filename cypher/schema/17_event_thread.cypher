// For the newest proposal of a thread (a trace and a scope), for pages of a trace and a scope, and for whether a trace has an event of a type.
// mode: schema
CREATE INDEX event_thread IF NOT EXISTS FOR (event:Event) ON (event.trace_id, event.type, event.scope, event.position)
