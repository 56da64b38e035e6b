// One stream node, whose lock orders all appends.
// mode: schema
CREATE CONSTRAINT stream_name IF NOT EXISTS FOR (stream:Stream) REQUIRE stream.name IS UNIQUE
