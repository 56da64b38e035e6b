// For pages of one scope.
// mode: schema
CREATE INDEX event_scope IF NOT EXISTS FOR (event:Event) ON (event.scope, event.position)
