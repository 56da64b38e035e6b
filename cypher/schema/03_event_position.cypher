// One event a position; serves pages of the log.
// mode: schema
CREATE CONSTRAINT event_position IF NOT EXISTS FOR (event:Event) REQUIRE event.position IS UNIQUE
