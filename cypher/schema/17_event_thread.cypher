// For the newest proposal of a thread (a trace and a scope), and for pages of a trace and a scope.
// mode: schema
CREATE INDEX event_thread IF NOT EXISTS FOR (event:Event) ON (event.trace_id, event.scope, event.type, event.position)
