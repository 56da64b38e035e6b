// There is one event at each position. The index also serves pages of the log.
// mode: schema
CREATE CONSTRAINT event_position IF NOT EXISTS FOR (event:Event) REQUIRE event.position IS UNIQUE
