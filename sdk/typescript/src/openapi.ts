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
         * @description Newest first unless `order=asc`. `before` and `after` are positions; a full page links to the next in its `Link` header.
         */
        get: operations["listEvents"];
        put?: never;
        /**
         * Append an event
         * @description 201 once the event is committed. Sending the same `id` with the same content again answers 200 with the stored event.
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
         * @description A JSON array, or NDJSON (`application/x-ndjson`). Parents may point to earlier items; an error names the index.
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
         * @description Newest first, of exactly this scope.
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
         * @description In log order, the whole trace; a trace of more than `limit` events goes on where the `Link` header says.
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
         * @description Every event reachable along PARENT, once, at its shortest distance; its ancestors never change.
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
         * @description Every event with this one among its ancestors, once, at its shortest distance. Pages leave out what came after the first one.
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
         * @description Ancestors and descendants in one list, nearest first; `relation` says which.
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
         * @description Those of its ancestors that have no cause themselves; the event itself, at depth 0, when it has none.
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
         * @description Those of its descendants that led to nothing yet; the event itself, at depth 0, when nothing followed.
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
         * What an event led to and is still open
         * @description The proposals among its descendants that are neither ended nor cancelled: the list of what to stop. One is ended by a `ready`
         *     and cancelled by a `cancel` of which it is a nearest proposal among the causes.
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
         * @description The part of the graph between a cause and its effect, and one shortest way. The order of the two does not matter.
         *
         *     `depth` counts from the cause. The filters choose what is counted and shown; `shortest` is what it is.
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
         * @description The causes shared by all of them of which none led to another, as Git's merge bases. An event counts among its own causes.
         *
         *     `depth` is how far the farthest of the events is. The filters choose among these causes. When more events than the budget led to one
         *     of those asked for, there is no answer but 400: a part of them cannot tell which causes are the last ones.
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
         * @description By their newest event, newest first; with `type` or `scope`, those that have such an event. A page may hold fewer than `limit`
         *     though more follow: the `Link` header tells. Its pages leave out what arrived after the first one.
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
         * @description Who took part, how long it took, where it began and ended, what was rewarded, and the critical path: the chain of causes
         *     that decided its duration, with each agent's time on it.
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
         * @description Node-link JSON that networkx reads, in order of position; a `Link` header leads to the next part. With payloads a part holds at
         *     most 1,000 events.
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
         * @description Strongest first, decayed to now, or to the moment asked for. A signal below 0.01 is absent.
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
         * @description Nothing is written. Answers the signals that would be others, each with the strength it really has.
         *
         *     Which signals an event moves stands as the log has it: to drop a proposal takes away what it did to its signal, not what others did
         *     in answer to it.
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
         * @description 404 when it was never created or has faded below 0.01. A slash in the pattern is written `%2F` where `/explain` could follow.
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
         * @description Every event that moved it, each with its strength before and after, what it changed, and what time took since the one before.
         *
         *     A full page links to the next in its `Link` header, which keeps to the moment of the first. 404 when nothing ever moved it.
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
         * @description 201 with the node. Sending the same `id` with the same content again answers 200.
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
         * @description The node with its edges, by target and type.
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
         * @description 201 with the node the edge leaves from. The same edge twice is one edge.
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
         * @description The events its node is linked to, at depth 0, and everything that led to them, each once at its shortest distance.
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
         * @description The events its node is linked to, at depth 0, and everything they led to, each once at its shortest distance.
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
         * @description By type of the link, then by id.
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
         * @description What each answers, what it has to be told, what its columns are, and its text in the language of the database. A service that
         *     keeps its log in memory has none.
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
         * @description The query's parameters are those of the request, as `GET /api/queries` lists them. It only reads. An answer holds 1,000 rows at
         *     most and some 8 MiB; `truncated` says that there were more. A query that takes longer than 20 s is stopped.
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
         * @description Like `/ws`, for clients that only listen. `Last-Event-ID` resumes, as browsers' EventSource sends it by itself.
         *
         *     An answer that was 200 ends with a message of the event `close`, whose data holds `code`, `reason` and `position`: 1001 the
         *     service stops, 1011 a defect, 1013 the database is away, 4008 too slow (all: reconnect), 4009 the log was replaced. 409 before
         *     that: the position belongs to another log.
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
         * @description `version` is the service's own; `protocol` the newest version of the messages on `/ws`.
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
         * @description Answers as long as the process serves requests, whatever the database does.
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
         * Would an event be taken now?
         * @description 200 when the database answered last, with the log's epoch and newest position; 503 while it is away.
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
         * @description Counters and gauges of the log, the queue, the signals and this process.
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
             * @description Server time, UTC; never runs backwards along positions.
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
            /** @description PARENT hops by the shortest way. */
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
             * @description Who left the event.
             * @example designer
             */
            agent_id: string;
            /**
             * @description At most 256 KiB. proposal: `action`; ready: `status`; test: `status` running, passed or failed; reward: `value` 0..1; penalty: `value` -1..1, taken by its size; cancel: `value` 0..1, 0.3 unless given. `credit` of a reward or penalty, an object of `discount` 0..1 and `max_depth`, has it reach the proposals further up. Other keys are kept as they are.
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
            /** @description The client's own UUID; makes a retry safe. */
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
        };
        /** QueryAnswer */
        QueryAnswer: {
            columns: string[];
            rows: unknown[][];
            truncated: boolean;
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
             * @description Server time, UTC; never runs backwards along positions.
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
            /** @description Why it moved nothing, where it moved nothing. */
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
            /** @description Ids of events to do without. */
            drop?: string[];
            /** @description Events to append in thought, after all others. */
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
                /** @description Events in a page, at most. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description Stored before, with the same content; this request was a retry. */
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
            /** @description What was sent contradicts what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is beyond its limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is of a type this route does not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description `minimal` answers counts and positions only; default: `full`. */
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
            /** @description Stored before, with the same content; this request was a retry. */
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
            /** @description What was sent contradicts what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is beyond its limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is of a type this route does not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Events in a page, at most. */
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Events in a page, at most. */
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Id of another; which of the two is the cause, the log knows. */
                to: string;
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Events in a page, at most. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Events in a page, at most. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description Exactly this pattern. */
                pattern?: string | null;
                /** @description At least this strong. */
                min_strength?: number;
                /** @description Default: all. */
                limit?: number | null;
                /** @description A position of the log or an RFC 3339 time: the answer as of then. Default: now. */
                at?: string | null;
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
                    "application/json": components["schemas"]["SignalView"][];
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description What was sent contradicts what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is beyond its limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is of a type this route does not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description A position of the log or an RFC 3339 time: the answer as of then. Default: now. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Events in a page, at most; 0 for strength and count alone. */
                limit?: number;
                /** @description By position; `desc` is newest first. */
                order?: "asc" | "desc";
                /** @description From a `Link` header. */
                cursor?: number | null;
                /** @description A position of the log or an RFC 3339 time: the answer as of then. Default: now. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description Stored before, with the same content; this request was a retry. */
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
            /** @description What was sent contradicts what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is beyond its limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is of a type this route does not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body, or a payload in it, is beyond its limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is of a type this route does not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Only by links of this type; default: all. */
                edge?: string | null;
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Only by links of this type; default: all. */
                edge?: string | null;
                /** @description PARENT hops at most; default: no bound. */
                depth?: number | null;
                /** @description Nodes in a page, at most; 0 for the count alone. */
                limit?: number;
                /** @description Only these types; may be repeated. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description A scope, or a glob: `*` is one segment, `**` at the end is one or more. */
                scope?: string | null;
                /** @description 1 to include payloads. */
                payload?: number;
                /** @description Events reached at most, whether they are shown or not; beyond it the answer is truncated. */
                budget?: number;
                /** @description 0 to leave out `count`: a page of the nearest is there before all are counted. */
                count?: number;
                /** @description From a `Link` header: depth and position last seen, the newest position that counts, and the count. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description There is no such thing. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
                /** @description Scopes or globs: any. */
                scope?: string[] | null;
                /** @description Any of these types. */
                type?: ("proposal" | "ready" | "test" | "reward" | "penalty" | "cancel")[] | null;
                /** @description May be repeated: any of the values. */
                trace_id?: string[] | null;
                /** @description May be repeated: any of the values. */
                agent_id?: string[] | null;
                /** @description A position of the log. */
                after?: number | null;
                /** @description The log that position belongs to. */
                epoch?: string | null;
                /** @description 1: changes of signals too. */
                signals?: "0" | "1" | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages as on the WebSocket; `id` is `epoch:position`, the place to resume after. */
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
            /** @description What was sent contradicts what the log holds. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description A defect of the service; its log has the details. */
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
            /** @description A defect of the service; its log has the details. */
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
            /** @description A defect of the service; its log has the details. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Repeat after `Retry-After` seconds. */
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
            /** @description x */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A defect of the service; its log has the details. */
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
