// There is one node for each scope. The index also finds the scopes that a glob selects.
// mode: schema
CREATE CONSTRAINT scope_path IF NOT EXISTS FOR (scope:Scope) REQUIRE scope.path IS UNIQUE
