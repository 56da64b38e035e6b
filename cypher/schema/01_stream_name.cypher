// There is one stream node. Its lock puts all appends in one order.
// mode: schema
CREATE CONSTRAINT stream_name IF NOT EXISTS FOR (stream:Stream) REQUIRE stream.name IS UNIQUE
