// There is one state for each signal.
// mode: schema
CREATE CONSTRAINT signal_key IF NOT EXISTS FOR (signal:Signal) REQUIRE (signal.scope, signal.pattern) IS UNIQUE
