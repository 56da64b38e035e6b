// One node a scope; serves globs.
// mode: schema
CREATE CONSTRAINT scope_path IF NOT EXISTS FOR (scope:Scope) REQUIRE scope.path IS UNIQUE
