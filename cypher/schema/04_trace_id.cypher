// There is one node for each trace.
// mode: schema
CREATE CONSTRAINT trace_id IF NOT EXISTS FOR (trace:Trace) REQUIRE trace.id IS UNIQUE
