// Made by `npm run types` from the service's OpenAPI document; not to be edited.

export interface paths {
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a page of the log
         * @description Newest first unless `order=asc`. `before` and `after` are positions. A page with several filters may hold fewer than `limit`
         *     events, or none, although more follow; only a missing `Link` header means the end.
         */
        get: operations["listEvents"];
        put?: never;
        /**
         * Append an event
         * @description 201 after the event is committed. The same `id` with the same content again is answered 200, with the stored event.
         */
        post: operations["appendEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Append up to 10,000 events together or not at all
         * @description Takes a JSON array or NDJSON (`application/x-ndjson`). Parents may be earlier events of the batch. An error names the index.
         */
        post: operations["appendBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/scope/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one scope's events
         * @description Events of exactly this scope, newest first. A full page has a `Link` header to the next page.
         */
        get: operations["listEventsOfScope"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/trace/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one trace's events
         * @description The events of the trace in log order. A full page has a `Link` header to the next page.
         */
        get: operations["listEventsOfTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one event
         * @description The event as it was stored.
         */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/ancestors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What led to an event
         * @description Every event reachable along PARENT, once, at its shortest distance. The ancestors of an event never change.
         */
        get: operations["listAncestors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/descendants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an event led to
         * @description Every event that has this one among its ancestors, once, at its shortest distance. Later pages leave out events that arrived after the first page.
         */
        get: operations["listDescendants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/lineage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What led to an event and what it led to
         * @description Ancestors and descendants in one list, nearest first. `relation` tells them apart.
         */
        get: operations["listLineage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/roots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The first causes of an event
         * @description Its ancestors that have no parents. If the event itself has no parents: the event, at depth 0.
         */
        get: operations["listRoots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/impact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where an event's consequences end so far
         * @description Its descendants that have no children yet. If the event itself has no children: the event, at depth 0.
         */
        get: operations["listImpact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Proposals that an event led to and that are still open
         * @description The proposals among its descendants that are neither ended nor cancelled: the work to stop. A `ready` ends the proposals that are
         *     nearest among its causes; a `cancel` cancels them.
         */
        get: operations["listOpen"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/paths": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one event led to another
         * @description The part of the graph between a cause and its effect, and one shortest path. The order of the two ids does not matter.
         *
         *     `depth` counts from the cause. The filters select which events are counted and shown; they do not change `shortest`.
         */
        get: operations["listPaths"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/common-causes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What events have in common
         * @description The latest common causes: causes shared by all the events, without those that led to another shared cause. Git's merge bases are
         *     the same idea. An event counts as a cause of itself.
         *
         *     `depth` of a cause is its distance to the farthest of the events. The filters select among these causes. If one of the events has
         *     more ancestors than the budget, the answer is 400, because a partial search cannot tell which causes are the latest.
         */
        get: operations["listCommonCauses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The latest traces
         * @description Ordered by their newest event, newest first. With `type` or `scope`: only traces that have such an event. A page may hold fewer
         *     than `limit` traces although more follow; only a missing `Link` header means the end. Later pages leave out events that arrived
         *     after the first page.
         */
        get: operations["listTraces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A trace at a glance
         * @description Its agents, duration, first and last events, rewards and penalties, and the critical path: the chain of causes that determined
         *     the duration, with each agent's time on it. A summary covers the oldest 50,000 events.
         */
        get: operations["getTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A trace as a graph
         * @description Node-link JSON for networkx, ordered by position. A `Link` header leads to the next page. With payloads or filters a
         *     page holds at most 1,000 events, and may hold fewer although more follow. It holds at most 20,000 edges.
         */
        get: operations["getTraceGraph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/signals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read signals, as they are or as they were
         * @description Strongest first, decayed to now or to `at`. Signals below 0.01 are left out.
         *
         *     `ETag` names the position of the log. Strengths decay also while it stays the same.
         */
        get: operations["listSignals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/signals/what-if": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signals as they would be without some events, or with some more
         * @description The signals whose strength would differ, each with its `actual` strength. Nothing is written.
         *
         *     Which signals each event moved stays as the log has it. So to drop a proposal removes only its own effect on its signal, not the
         *     effects of events that followed it.
         */
        post: operations["whatIf"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/signals/{signal_scope}/{pattern}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one signal, as it is or as it was
         * @description 404 when the signal was never created or has faded below 0.01. If the pattern ends with `/explain`, write that slash as `%2F`.
         */
        get: operations["getSignal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/signals/{signal_scope}/{pattern}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why a signal is as strong as it is
         * @description Every event that moved the signal, each with the strength before and after, the change, and the decay since the event before it.
         *
         *     If there are more events, a `Link` header leads to the next page, which is as of the same moment. 404 when no event ever moved the
         *     signal.
         */
        get: operations["explainSignal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Store a graph node
         * @description 201 with the node. The same `id` with the same content again is answered 200.
         */
        post: operations["createNode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/nodes/{node_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a graph node
         * @description The node with its edges, ordered by target and type.
         */
        get: operations["getNode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/nodes/{node_id}/edges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Link a graph node to another, or to an event
         * @description 201 with the node that the edge starts from. An edge that is added twice is stored once.
         */
        post: operations["addEdge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/nodes/{node_id}/provenance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What led to an artefact
         * @description The events that its node is linked to, at depth 0, and all their ancestors, each once at its shortest distance.
         */
        get: operations["listProvenance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/nodes/{node_id}/descendants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an artefact led to
         * @description The events that its node is linked to, at depth 0, and all their descendants, each once at its shortest distance.
         */
        get: operations["listDescendantsOfNode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{event_id}/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The graph nodes linked to an event
         * @description Ordered by type of the link, then by id.
         */
        get: operations["listNodesOfEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The queries that can be run by name
         * @description For each query: its purpose, parameters, columns, and its text in the language of the database. A service that keeps its log in
         *     memory offers no queries.
         */
        get: operations["listQueries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queries/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Run a query
         * @description Give the parameters that `GET /api/queries` lists for the query as query parameters. Queries only read. An answer holds up to
         *     1,000 rows and about 8 MiB; `truncated` says that there were more. A query over the log looks at its newest events: at positions
         *     above `after`, up to `until`, which are parameters and part of the answer. A query that takes longer than 20 s is stopped.
         */
        get: operations["runQuery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow the log as server-sent events
         * @description Like `/ws`, for clients that only listen. `Last-Event-ID` resumes the stream; a browser's EventSource sends it by itself.
         *
         *     When the service ends the stream, it sends the event `close` with `code`, `reason` and `position`: 1001 the service stops,
         *     1011 a defect, 1013 the database is not available, 4008 the client was too slow (reconnect after any of these), 4009 the log was
         *     replaced. The status is 409 when the position belongs to another log.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which version of the service answers?
         * @description `version` is the version of the service, `protocol` the newest version of the messages on `/ws`.
         */
        get: operations["version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the process alive?
         * @description 200 as long as the process serves requests, even when the database is not available.
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Would an event be accepted now?
         * @description 200 with the log's epoch and newest position; 503 while the database is not available, or its disk is full.
         */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics in Prometheus text format
         * @description Counters and gauges of the log, the append queue, the signals and this process.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** AgentShare */
        AgentShare: {
            agent_id: string;
            events: number;
            critical_seconds: number;
            critical_share: number;
        };
        /** At */
        At: {
            position: number;
            timestamp: string;
        };
        /** BatchSummary */
        BatchSummary: {
            count: number;
            created: number;
            first: number;
            last: number;
        };
        /** CriticalPath */
        CriticalPath: {
            count: number;
            seconds: number;
            steps: components["schemas"]["domain_traces_Step"][];
        };
        /** Ends */
        Ends: {
            count: number;
            ids: string[];
        };
        /** ErrorBody */
        ErrorBody: {
            message: string;
            errors?: components["schemas"]["FieldError"][] | null;
        };
        /** Event */
        Event: {
            /**
             * @description A UUID.
             * @example 0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10
             */
            id: string;
            /** @enum {string} */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            scope: string;
            trace_id: string;
            agent_id: string;
            parent_ids: string[];
            /**
             * @description Server time, UTC; never runs backwards as positions grow.
             * @example 2025-01-15T10:30:00.000Z
             */
            timestamp: string;
            /**
             * @example {
             *       "action": "improve_ux"
             *     }
             */
            payload: unknown;
            /** @description Place in the log: 1, 2, 3, ... without gaps, in commit order. */
            position: number;
        };
        /** Explanation */
        Explanation: {
            scope: string;
            pattern: string;
            strength: number;
            at: components["schemas"]["At"];
            decay: number;
            count: number;
            truncated: boolean;
            events: components["schemas"]["engine_explaining_Step"][];
        };
        /** FieldError */
        FieldError: {
            field: string;
            reason: string;
        };
        /** GraphEdge */
        GraphEdge: {
            to: string;
            type: string;
        };
        /** GraphEvent */
        GraphEvent: {
            id: string;
            /** @enum {string} */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            scope: string;
            agent_id: string;
            timestamp: string;
            position: number;
            payload?: unknown;
        };
        /** GraphLink */
        GraphLink: {
            source: string;
            target: string;
            /** @default PARENT */
            type?: string;
        };
        /** Health */
        Health: {
            /** @constant */
            status: "ok";
        };
        /** LineageAnswer */
        LineageAnswer: {
            count?: number;
            truncated: boolean;
            nodes: components["schemas"]["LineageNode"][];
        };
        /** LineageNode */
        LineageNode: {
            id: string;
            /** @enum {string} */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            scope: string;
            trace_id: string;
            agent_id: string;
            parent_ids: string[];
            timestamp: string;
            position: number;
            /** @description PARENT hops on the shortest path. */
            depth: number;
            relation?: "ancestor" | "descendant";
            payload?: unknown;
        };
        /** LinkedNodeAnswer */
        LinkedNodeAnswer: {
            id: string;
            type: string;
            data: unknown;
            edge: string;
        };
        /** Move */
        Move: {
            scope: string;
            pattern: string;
            before: number;
            after: number;
            /** @default 1 */
            share?: number;
        };
        /**
         * NewEdge
         * @example {
         *       "to": "0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10",
         *       "type": "depends_on"
         *     }
         */
        NewEdge: {
            /**
             * @description A UUID.
             * @example 0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10
             */
            to: string;
            /** @example depends_on */
            type: string;
        };
        /**
         * NewEvent
         * @example {
         *       "type": "proposal",
         *       "scope": "ui.login",
         *       "trace_id": "checkout-42",
         *       "agent_id": "designer",
         *       "payload": {
         *         "action": "improve_ux"
         *       }
         *     }
         */
        NewEvent: {
            /**
             * @description What the agent did.
             * @example proposal
             * @enum {string}
             */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            /**
             * @description Dotted path of `[A-Za-z0-9_-]` segments.
             * @example ui.login
             */
            scope: string;
            /**
             * @description The piece of work this belongs to.
             * @example checkout-42
             */
            trace_id: string;
            /**
             * @description The agent that did it.
             * @example designer
             */
            agent_id: string;
            /**
             * @description At most 256 KiB. proposal: `action`; ready: `status`; test: `status` running, passed or failed; reward: `value` 0..1; penalty: `value` -1..1, its absolute value counts; cancel: `value` 0..1, default 0.3. A reward or penalty with `credit`, an object of `discount` 0..1 and `max_depth`, also reaches proposals further up. Other keys are stored as they are.
             * @example {
             *       "action": "improve_ux"
             *     }
             */
            payload: {
                [key: string]: unknown;
            };
            /** @description The events that caused this one, at most 64; repeats count once. */
            parent_ids?: string[] | null;
            /** @description The client's own UUID; makes a retry safe. Generated when absent. */
            id?: string | null;
            /** @description Ignored: set by the server. */
            position?: unknown;
            /** @description Ignored: set by the server. */
            timestamp?: unknown;
            /** @description Ignored: set by the server. */
            signals?: unknown;
            /** @description Ignored: set by the server. */
            moved?: unknown;
        };
        /**
         * NewNode
         * @example {
         *       "type": "file",
         *       "data": {
         *         "path": "src/login.py"
         *       }
         *     }
         */
        NewNode: {
            /** @example file */
            type: string;
            /**
             * @example {
             *       "path": "src/login.py"
             *     }
             */
            data?: {
                [key: string]: unknown;
            };
            /** @description A UUID that the client chose; it makes a retry safe. */
            id?: string | null;
        };
        /** NodeAnswer */
        NodeAnswer: {
            id: string;
            type: string;
            data: unknown;
            edges: components["schemas"]["GraphEdge"][];
        };
        /** OfferedQuery */
        OfferedQuery: {
            name: string;
            purpose: string;
            language: string;
            parameters: components["schemas"]["QueryParameter"][];
            columns: components["schemas"]["QueryColumn"][];
            text: string;
        };
        /** PathsAnswer */
        PathsAnswer: {
            count?: number;
            truncated: boolean;
            nodes: components["schemas"]["LineageNode"][];
            shortest?: string[];
            hops?: number | null;
        };
        /** QueryAnswer */
        QueryAnswer: {
            columns: string[];
            rows: unknown[][];
            truncated: boolean;
            after?: number;
            until?: number;
        };
        /** QueryColumn */
        QueryColumn: {
            name: string;
            type: string;
        };
        /** QueryParameter */
        QueryParameter: {
            name: string;
            /** @enum {string} */
            type: "STRING" | "INTEGER" | "FLOAT" | "BOOLEAN";
            description: string;
            required: boolean;
            default?: string | number | boolean | null;
            minimum?: number;
            maximum?: number;
        };
        /** Ready */
        Ready: {
            /** @constant */
            status: "ok";
            epoch: string;
            position: number;
        };
        /** RecordedEvent */
        RecordedEvent: {
            /**
             * @description A UUID.
             * @example 0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10
             */
            id: string;
            /** @enum {string} */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            scope: string;
            trace_id: string;
            agent_id: string;
            parent_ids: string[];
            /**
             * @description Server time, UTC; never runs backwards as positions grow.
             * @example 2025-01-15T10:30:00.000Z
             */
            timestamp: string;
            /**
             * @example {
             *       "action": "improve_ux"
             *     }
             */
            payload: unknown;
            /** @description Place in the log: 1, 2, 3, ... without gaps, in commit order. */
            position: number;
            signals?: components["schemas"]["Move"][];
            /** @description Why the event moved no signal; absent when it moved one. */
            moved?: string;
        };
        /** SignalView */
        SignalView: {
            id: string;
            scope: string;
            pattern: string;
            strength: number;
            last_updated: string;
            alpha: number;
            lambda: number;
        };
        /** SupposedSignal */
        SupposedSignal: {
            id: string;
            scope: string;
            pattern: string;
            strength: number;
            last_updated: string;
            alpha: number;
            lambda: number;
            actual: number;
        };
        /**
         * Supposition
         * @example {
         *       "drop": [],
         *       "add": [
         *         {
         *           "type": "penalty",
         *           "scope": "ui.login",
         *           "trace_id": "checkout-42",
         *           "agent_id": "designer",
         *           "payload": {
         *             "action": "improve_ux",
         *             "value": 0.2
         *           }
         *         }
         *       ]
         *     }
         */
        Supposition: {
            /** @description Ids of events to leave out. */
            drop?: string[];
            /** @description Events to add after all others. */
            add?: components["schemas"]["NewEvent"][];
        };
        /** Tally */
        Tally: {
            count: number;
            total: number;
        };
        /** TraceGraph */
        TraceGraph: {
            nodes: components["schemas"]["GraphEvent"][];
            edges: components["schemas"]["GraphLink"][];
            graph: {
                [key: string]: unknown;
            };
            /** @default true */
            directed?: boolean;
            /** @default false */
            multigraph?: boolean;
        };
        /** TraceSpan */
        TraceSpan: {
            trace_id: string;
            events: number;
            first: number;
            last: number;
            started: string;
            ended: string;
        };
        /** TraceSummary */
        TraceSummary: {
            trace_id: string;
            events: number;
            truncated: boolean;
            started: string;
            ended: string;
            duration: number;
            types: {
                [key: string]: number;
            };
            scopes: {
                [key: string]: number;
            };
            agents: components["schemas"]["AgentShare"][];
            roots: components["schemas"]["Ends"];
            leaves: components["schemas"]["Ends"];
            rewards: components["schemas"]["Tally"];
            penalties: components["schemas"]["Tally"];
            critical_path: components["schemas"]["CriticalPath"];
        };
        /** Version */
        Version: {
            name: string;
            version: string;
            protocol: number;
        };
        /** WhatIf */
        WhatIf: {
            position: number;
            timestamp: string;
            signals: components["schemas"]["SupposedSignal"][];
        };
        /** Step */
        domain_traces_Step: {
            id: string;
            /** @enum {string} */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            scope: string;
            agent_id: string;
            timestamp: string;
            position: number;
            seconds: number;
        };
        /** Step */
        engine_explaining_Step: {
            id: string;
            /** @enum {string} */
            type: "proposal" | "ready" | "test" | "reward" | "penalty" | "cancel";
            scope: string;
            trace_id: string;
            agent_id: string;
            timestamp: string;
            position: number;
            decay: number;
            before: number;
            change: number;
            after: number;
            value?: number | null;
            /** @default 1 */
            share?: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listEvents: {
        parameters: {
            query?: {
                /** @description Maximum number of items in a page. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description Only events with exactly this name. */
                trace_id?: string | null;
                /** @description Only events with exactly this name. */
                agent_id?: string | null;
                /** @description A position of the log. */
                before?: number | null;
                /** @description A position of the log. */
                after?: number | null;
                /** @description By position; `desc` is newest first. */
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"][];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    appendEvent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEvent"];
            };
        };
        responses: {
            /** @description Already stored with the same content; this request was a retry. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordedEvent"];
                };
            };
            /** @description Stored. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordedEvent"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request conflicts with what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description This route does not read the body's media type or content encoding. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    appendBatch: {
        parameters: {
            query?: {
                /** @description `minimal` returns only counts and positions. Default: `full`. */
                return?: "full" | "minimal";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEvent"][];
                /** @example {"type":"proposal","scope":"ui.login","trace_id":"checkout-42","agent_id":"designer","payload":{"action":"improve_ux"}} */
                "application/x-ndjson": components["schemas"]["NewEvent"][];
            };
        };
        responses: {
            /** @description Already stored with the same content; this request was a retry. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordedEvent"][] | components["schemas"]["BatchSummary"];
                };
            };
            /** @description Stored. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordedEvent"][] | components["schemas"]["BatchSummary"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request conflicts with what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description This route does not read the body's media type or content encoding. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listEventsOfScope: {
        parameters: {
            query?: {
                /** @description Maximum number of items in a page. */
                limit?: number;
                /** @description A position of the log. */
                before?: number | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"][];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listEventsOfTrace: {
        parameters: {
            query?: {
                /** @description Maximum number of items in a page. */
                limit?: number;
                /** @description A position of the log. */
                after?: number | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"][];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listAncestors: {
        parameters: {
            query?: {
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listDescendants: {
        parameters: {
            query?: {
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listLineage: {
        parameters: {
            query?: {
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listRoots: {
        parameters: {
            query?: {
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listImpact: {
        parameters: {
            query?: {
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listOpen: {
        parameters: {
            query?: {
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listPaths: {
        parameters: {
            query: {
                /** @description Id of an event. */
                from: string;
                /** @description Id of another event. The earlier of the two is taken as the cause. */
                to: string;
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PathsAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listCommonCauses: {
        parameters: {
            query: {
                /** @description Ids of one to 16 events, separated by commas. */
                ids: string;
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listTraces: {
        parameters: {
            query?: {
                /** @description Maximum number of items in a page. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description A position of the log. */
                before?: number | null;
                /** @description A position of the log. */
                until?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceSpan"][];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    getTrace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceSummary"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    getTraceGraph: {
        parameters: {
            query?: {
                /** @description Maximum number of events in a page. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description A position of the log. */
                after?: number | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceGraph"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listSignals: {
        parameters: {
            query?: {
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description Exactly this pattern. */
                pattern?: string | null;
                /** @description At least this strong. */
                min_strength?: number;
                /** @description Default: all. */
                limit?: number | null;
                /** @description A log position or an RFC 3339 time; the answer is as of then. Default: now. */
                at?: string | null;
            };
            header?: {
                /** @description An `ETag` of this list: 304 if no event came since then. */
                "If-None-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignalView"][];
                };
            };
            /** @description The log is at the position of the `If-None-Match` still. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    whatIf: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Supposition"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatIf"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request conflicts with what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description This route does not read the body's media type or content encoding. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    getSignal: {
        parameters: {
            query?: {
                /** @description A log position or an RFC 3339 time; the answer is as of then. Default: now. */
                at?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                signal_scope: string;
                /** @description Percent-encoded where needed. */
                pattern: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignalView"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    explainSignal: {
        parameters: {
            query?: {
                /** @description Maximum number of events in a page; 0 returns only strength and count. */
                limit?: number;
                /** @description By position; `desc` is newest first. */
                order?: "asc" | "desc";
                /** @description From a `Link` header. */
                cursor?: number | null;
                /** @description A log position or an RFC 3339 time; the answer is as of then. Default: now. */
                at?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                signal_scope: string;
                /** @description Percent-encoded where needed. */
                pattern: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    createNode: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewNode"];
            };
        };
        responses: {
            /** @description Already stored with the same content; this request was a retry. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            /** @description Stored. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request conflicts with what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description This route does not read the body's media type or content encoding. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    getNode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                node_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    addEdge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                node_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEdge"];
            };
        };
        responses: {
            /** @description Done. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description This route does not read the body's media type or content encoding. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listProvenance: {
        parameters: {
            query?: {
                /** @description Only links of this type. Default: all. */
                edge?: string | null;
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                node_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listDescendantsOfNode: {
        parameters: {
            query?: {
                /** @description Only links of this type. Default: all. */
                edge?: string | null;
                /** @description Maximum number of PARENT hops; default: no limit. */
                depth?: number | null;
                /** @description Maximum number of nodes in a page; 0 returns only the count. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope or a glob: `*` matches one segment, `**` at the end matches one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Maximum number of events to visit, shown or not. A search that reaches it is truncated. */
                budget?: number;
                /** @description 0 leaves out `count`; the page is then answered without counting all events. */
                count?: number;
                /** @description From a `Link` header: depth and position of the last node, then the newest position included, then the total count, then 0 if that is a lower bound. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                node_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listNodesOfEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkedNodeAnswer"][];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    listQueries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OfferedQuery"][];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    runQuery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded where needed. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryAnswer"];
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The object does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description A scope or a glob; may be repeated for alternatives. */
                scope?: string[] | null;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description Only events with this value; may be repeated for alternatives. */
                trace_id?: string[] | null;
                /** @description Only events with this value; may be repeated for alternatives. */
                agent_id?: string[] | null;
                /** @description A position of the log. */
                after?: number | null;
                /** @description Epoch of the log that `after` belongs to. */
                epoch?: string | null;
                /** @description 1 to receive changes of signals too. */
                signals?: "0" | "1" | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages as on the WebSocket. `id` is `epoch:position`: a client can resume after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description The input was refused; nothing was written. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request conflicts with what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Temporarily unavailable; repeat after `Retry-After` seconds. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Metrics in Prometheus text format. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A defect in the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
}
