// The scopes that match a glob, and how many scopes were looked at: those that start with its prefix, in order of path.
// mode: read
// param prefix: STRING  literal text that the glob starts with
// param pattern: STRING  regular expression that must match the whole scope
// param look: INTEGER  scopes to look at, at most
// returns looked: INTEGER, scopes: LIST<STRING>
MATCH (scope:Scope) USING INDEX SEEK scope:Scope(path)
WHERE scope.path STARTS WITH $prefix
WITH scope.path AS path LIMIT $look
RETURN count(path) AS looked, collect(CASE WHEN path =~ $pattern THEN path END) AS scopes
