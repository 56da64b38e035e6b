// An event id is never used twice. This makes retries safe.
// mode: schema
CREATE CONSTRAINT event_id IF NOT EXISTS FOR (event:Event) REQUIRE event.id IS UNIQUE
