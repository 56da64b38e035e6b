// One hub a trace.
// mode: schema
CREATE CONSTRAINT trace_id IF NOT EXISTS FOR (trace:Trace) REQUIRE trace.id IS UNIQUE
