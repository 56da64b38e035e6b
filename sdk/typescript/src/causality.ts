/** Questions about causes: what led to an event, what it led to, what moved a signal, and what-if. */

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
 * Answers with pages are awaited for the first page, or iterated over for all items, see `Pages`:
 *
 *     const page = await client.ancestors(event.id); // page.count is the number of all
 *     for await (const cause of client.ancestors(event.id)) ...
 *
 * Lineage counts an event once, at its shortest distance, nearest first. Later pages leave out events committed after the first page.
 * Shared parameters: `depth` is the largest number of PARENT hops. `type` and `scope` (or a glob) choose which events are counted and
 * returned; paths may lead through other events. `payload` includes payloads. `limit` is the page size, 0..1000; 0 returns only the
 * count.
 *
 * All reject with NotFound when the event, node or trace does not exist, and with InvalidEvent when an argument was refused, or the
 * question takes the service too long: use a smaller depth or a narrower filter.
 */
export abstract class Causality {
  // Lineage

  /** Everything that led to an event; at the same distance newest first. */
  ancestors(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/events/${segment(id)}/ancestors`, query);
  }

  /** Everything an event led to; at the same distance oldest first. */
  descendants(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/events/${segment(id)}/descendants`, query);
  }

  /** Both in one list; `relation` says which. */
  lineage(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/events/${segment(id)}/lineage`, query);
  }

  /** The first causes: ancestors without a cause; the event itself, at depth 0, when it has none. */
  roots(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/events/${segment(id)}/roots`, query);
  }

  /** The last consequences so far: descendants without an effect; the event itself when nothing followed. */
  impact(id: string, query: LineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/events/${segment(id)}/impact`, query);
  }

  /** The proposals an event led to that are neither ended nor cancelled: what to stop when it is withdrawn. */
  open(id: string, query: OpenQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/events/${segment(id)}/open`, query);
  }

  /** How one event led to another: every event on any path between them. The two may be swapped; `count` is 0 without a path. */
  paths(cause: string, effect: string, query: PathsQuery = {}): Pages<Paths, Relative> {
    return this.#pages("/api/paths", { from: cause, to: effect, ...query }, (page) => page.nodes, query.limit);
  }

  /**
   * The nearest causes that 2..16 events share, such that none led to another; like Git's merge bases.
   *
   * Each event counts as its own cause. `depth` in the answer is the distance of the farthest of the events.
   */
  commonCauses(ids: readonly string[], query: CommonCausesQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages("/api/common-causes", { ids: ids.join(","), ...query });
  }

  // Traces

  /** Traces by their newest event, newest first. A page may have fewer than `limit` items although more follow. */
  traces(query: TracesQuery = {}): Pages<TraceSpan[], TraceSpan> {
    return this.#pages("/api/traces", { ...query }, (page) => page, query.limit);
  }

  /** A trace at a glance: agents, duration, roots, leaves, rewards, and the chain of causes that decided how long it took. */
  async traceSummary(traceId: string): Promise<TraceSummary> {
    return (await this.ask("GET", `/api/traces/${segment(traceId)}`)).body as TraceSummary;
  }

  /** A trace as node-link data, in order of position. `limit`: events per page, 1..10,000. */
  traceGraph(traceId: string, query: TraceGraphQuery = {}): Pages<TraceGraph, TraceNode> {
    return this.#pages(`/api/traces/${segment(traceId)}/graph`, { ...query }, (page) => page.nodes, query.limit, LARGEST_GRAPH);
  }

  // Signals

  /**
   * Why a signal has its strength, now or `at` a moment: every event that moved it, in log order or newest first.
   *
   * Each step starts at the strength after the step before, minus decay. The last step's strength, minus `decay`, is the signal's.
   */
  explain(scope: string, pattern: string, query: ExplainQuery = {}): Pages<Explanation, Shift> {
    const path = `/api/signals/${segment(scope)}/${segment(pattern)}/explain`;
    return this.#pages(path, { ...query }, (page) => page.events, query.limit);
  }

  /**
   * The signals as they would be without the events `drop` (ids) and with the events `add`, such as `Client.draft` makes. Nothing is
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

  /** How a node came about: the events it is linked to (depth 0) and everything that led to them. `edge`: only links of this type. */
  provenance(id: string, query: NodeLineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/nodes/${segment(id)}/provenance`, query);
  }

  /** Consequences of a node: the events it is linked to (depth 0) and everything they led to. `edge`: only links of this type. */
  nodeDescendants(id: string, query: NodeLineageQuery = {}): Pages<Lineage, Relative> {
    return this.#lineagePages(`/api/nodes/${segment(id)}/descendants`, query);
  }

  /** The nodes that are linked to an event, by type of the link. */
  async nodesOf(eventId: string): Promise<LinkedNode[]> {
    return (await this.ask("GET", `/api/events/${segment(eventId)}/nodes`)).body as LinkedNode[];
  }

  /** @internal One request, retried for the client's `patience`. */
  protected abstract ask(method: string, target: string, body?: unknown): Promise<Answer>;

  #lineagePages(path: string, query: Query & { limit?: number | undefined }): Pages<Lineage, Relative> {
    return this.#pages(path, query, (page) => page.nodes, query.limit);
  }

  #pages<P, T>(path: string, query: Query, items: (page: P) => readonly T[], limit: number | undefined, largest?: number): Pages<P, T> {
    return new Pages((target) => this.ask("GET", target), (size) => path + queryString({ ...query, limit: size }), items, limit, largest);
  }
}
