// For pages of one agent.
// mode: schema
CREATE INDEX event_agent IF NOT EXISTS FOR (event:Event) ON (event.agent_id, event.position)
