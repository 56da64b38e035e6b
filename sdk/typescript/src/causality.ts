/** The questions about causes: what led to an event, what it led to, what moved a signal, what would be if. */

import { newId } from "./identifiers.js";
import { Pages } from "./pages.js";
import { queryString, segment, type Answer, type Query } from "./transport.js";
import type {
  CommonCausesQuery, ExplainQuery, Explanation, Lineage, LineageQuery, LinkedNode, NewEvent, Node, NodeLineageQuery, OpenQuery, Paths, PathsQuery,
  Relative, Shift, Supposition, TraceGraph, TraceGraphQuery, TraceNode, TraceSpan, TraceSummary, TracesQuery,
} from "./types.js";

/** Events in a page of a trace's graph, at most. */
const LARGEST_GRAPH = 10_000;

/**
 * The part of `Client` that asks about causes.
 *
 * What is answered in pages is awaited for the first page, or iterated over for everything, see `Pages`:
 *
 *     const page = await client.ancestors(event.id); // page.count is the number of all
 *     for await (const cause of client.ancestors(event.id)) ...
 *
 * Lineage counts an event once, at its shortest distance, nearest first. Its pages leave out what was committed after the first one.
 * What they may be asked: `depth` is the number of PARENT hops at most; `type` and `scope` (or a glob) choose what is counted and shown,
 * while the way may lead through others; `payload` asks for payloads; `limit` is the size of a page, 0..1000, and 0 asks for the count
 * alone.
 *
 * All reject with NotFound where there is no such event, node or trace, and with InvalidEvent where an argument was refused, or the
 * question takes the service too long: ask for less depth or a narrower filter.
 */
export abstract class Causality {
  // Lineage

  /** Everything that led to an event; at the same distance newest first. */
  ancestors(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/events/${segment(id)}/ancestors`, query);
  }

  /** Everything an event led to; at the same distance oldest first. */
  descendants(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/events/${segment(id)}/descendants`, query);
  }

  /** Both in one list; `relation` says which. */
  lineage(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/events/${segment(id)}/lineage`, query);
  }

  /** The first causes: ancestors without a cause; the event itself, at depth 0, when it has none. */
  roots(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/events/${segment(id)}/roots`, query);
  }

  /** Where the consequences end so far: descendants that led to nothing yet; the event itself when nothing followed. */
  impact(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/events/${segment(id)}/impact`, query);
  }

  /** The proposals an event led to that are neither ended nor cancelled: what to stop when it is withdrawn. */
  open(id: string, query: OpenQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/events/${segment(id)}/open`, query);
  }

  /** How one event led to another: every event on any way between them. Their order does not matter; `count` is 0 without a way. */
  paths(cause: string, effect: string, query: PathsQuery = {}): Pages<Paths, Relative> {
    return this.#pages("/api/paths", { from: cause, to: effect, ...query }, (page) => page.nodes, query.limit);
  }

  /**
   * What 2..16 events have in common: the causes shared by all, of which none led to another, as Git's merge bases.
   *
   * Each event counts among its own causes. `depth` of an answer is how far the farthest of the events is.
   */
  commonCauses(ids: readonly string[], query: CommonCausesQuery = {}): Pages<Lineage, Relative> {
    return this.#around("/api/common-causes", { ids: ids.join(","), ...query });
  }

  // Traces

  /** By their newest event, newest first. A page may hold fewer than `limit` though more follow. */
  traces(query: TracesQuery = {}): Pages<TraceSpan[], TraceSpan> {
    return this.#pages("/api/traces", { ...query }, (page) => page, query.limit);
  }

  /** A trace at a glance: agents, duration, roots, leaves, rewards, and the chain of causes that decided how long it took. */
  async traceSummary(traceId: string): Promise<TraceSummary> {
    return (await this.ask("GET", `/api/traces/${segment(traceId)}`)).body as TraceSummary;
  }

  /** A trace as node-link data, in order of position; `limit`: events in a page, 1..10,000. */
  traceGraph(traceId: string, query: TraceGraphQuery = {}): Pages<TraceGraph, TraceNode> {
    return this.#pages(`/api/traces/${segment(traceId)}/graph`, { ...query }, (page) => page.nodes, query.limit, LARGEST_GRAPH);
  }

  // Signals

  /**
   * Why a signal is as strong as it is, or was `at` a moment: every event that moved it, in log order, or newest first.
   *
   * Each begins at the strength the one before left, less what time took; the last, less `decay`, is the signal's own strength.
   */
  explain(scope: string, pattern: string, query: ExplainQuery = {}): Pages<Explanation, Shift> {
    const path = `/api/signals/${segment(scope)}/${segment(pattern)}/explain`;
    return this.#pages(path, { ...query }, (page) => page.events, query.limit);
  }

  /**
   * The signals as they would be without the events to `drop` (ids) and with those to `add`, such as `Client.draft` makes. Nothing is
   * written.
   */
  async whatIf(changes: { drop?: readonly string[]; add?: readonly NewEvent[] }): Promise<Supposition> {
    const body = { drop: changes.drop ?? [], add: changes.add ?? [] };
    return (await this.ask("POST", "/api/signals/what-if", body)).body as Supposition;
  }

  // Graph nodes

  /** Store a node of the users' own graph. Its id is made here, so it is stored once. Rejects with Conflict when the id is taken. */
  async createNode(type: string, data: Record<string, unknown> = {}, id: string = newId()): Promise<Node> {
    return (await this.ask("POST", "/api/nodes", { id, type, data })).body as Node;
  }

  /** A node with its edges. */
  async node(id: string): Promise<Node> {
    return (await this.ask("GET", `/api/nodes/${segment(id)}`)).body as Node;
  }

  /** Link a node to another one, or to an event, by id; the node with all its edges. The same link twice is one. */
  async link(id: string, to: string, type: string): Promise<Node> {
    return (await this.ask("POST", `/api/nodes/${segment(id)}/edges`, { to, type })).body as Node;
  }

  /** How a node came about: the events it is linked to (depth 0) and everything that led to them. `edge`: by links of this type alone. */
  provenance(id: string, query: NodeLineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/nodes/${segment(id)}/provenance`, query);
  }

  /** What came of a node: the events it is linked to (depth 0) and everything they led to. `edge`: by links of this type alone. */
  nodeDescendants(id: string, query: NodeLineageQuery = {}): Pages<Lineage, Relative> {
    return this.#around(`/api/nodes/${segment(id)}/descendants`, query);
  }

  /** The nodes that are linked to an event, by type of the link. */
  async nodesOf(eventId: string): Promise<LinkedNode[]> {
    return (await this.ask("GET", `/api/events/${segment(eventId)}/nodes`)).body as LinkedNode[];
  }

  /** @internal One request, repeated for the client's patience. */
  protected abstract ask(method: string, target: string, body?: unknown): Promise<Answer>;

  #around(path: string, query: Query & { limit?: number | undefined }): Pages<Lineage, Relative> {
    return this.#pages(path, query, (page) => page.nodes, query.limit);
  }

  #pages<P, T>(path: string, query: Query, items: (page: P) => readonly T[], limit: number | undefined, largest?: number): Pages<P, T> {
    return new Pages((target) => this.ask("GET", target), (size) => path + queryString({ ...query, limit: size }), items, limit, largest);
  }
}
