// An id is used once, for ever: what makes retries safe.
// mode: schema
CREATE CONSTRAINT event_id IF NOT EXISTS FOR (event:Event) REQUIRE event.id IS UNIQUE
