// For pages of some types.
// mode: schema
CREATE INDEX event_type IF NOT EXISTS FOR (event:Event) ON (event.type, event.position)
