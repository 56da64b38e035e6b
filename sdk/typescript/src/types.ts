/** Events, signals and answers, as the service's OpenAPI document has them. Fields are named as on the wire. */

import type { components, operations } from "./openapi.js";

type Schemas = components["schemas"];
type Json = Record<string, unknown>;

export type EventType = Schemas["Event"]["type"];

interface Payload {
  [key: string]: unknown;
  /** The pattern of the signal that this event moves. */
  action?: string | null;
}

/** Credit of a reward or penalty: it also moves the signals of proposals further up. */
export interface Credit {
  /** Factor for each hop beyond the nearest proposals, 0..1. */
  discount: number;
  /** Largest number of PARENT hops from the event, 1..64; default 8. */
  max_depth?: number;
}

interface Judgement extends Payload {
  reason?: string | null;
  credit?: Credit | null;
}

/** The payload fields that the service checks, by type; all other keys are kept. */
export interface Payloads {
  proposal: Payload & {
    action: string;
    params?: Json | null;
    /** Hours. */
    estimated_effort?: number | null;
    priority?: "low" | "medium" | "high" | null;
  };
  ready: Payload & { status: string };
  /** `coverage`: 0..100. */
  test: Payload & {
    status: "running" | "passed" | "failed";
    suite?: string | null;
    coverage?: number | null;
    failures?: unknown[] | null;
  };
  /** `value`: 0..1. `α` or `alpha`: its factor; the signal's own unless given. */
  reward: Judgement & { value: number; α?: number | null; alpha?: number | null };
  /** `value`: -1..1, taken by its size. */
  penalty: Judgement & { value: number };
  /** Withdraws the proposals that are its parents. `value`: 0..1, 0.3 unless given. */
  cancel: Payload & { value?: number; reason?: string | null };
}

/** A union with one member per event type, so that `event.type` decides the type of `event.payload`. */
type ByType<T extends { type: EventType; payload: unknown }> = {
  [K in EventType]: Omit<T, "type" | "payload"> & { type: K; payload: Payloads[K] };
}[EventType];

/** An event of the log. */
export type SempEvent = ByType<Schemas["Event"]>;
/** A stored event. `signals`: the signals that it moved, empty when the log had the event already. */
export type Emitted = ByType<Schemas["RecordedEvent"] & { signals: Move[] }>;
/** An event that is not in the log yet. It has its id from the start, so sending it again is safe. */
export type NewEvent = ByType<
  Pick<Schemas["NewEvent"], "type" | "scope" | "trace_id" | "agent_id" | "payload"> & { id: string; parent_ids: string[] }
>;
/** The effect of an event on a signal. Strengths are 0..1; 0 means absent. `share` is present when it is less than 1. */
export type Move = Schemas["Move"];

/** A live signal, decayed to the moment of the answer. Strength is 0..1; below 0.01 a signal is gone. */
export type Signal = Schemas["SignalView"];
/** A signal right after the event at `position` moved it; strength 0 when that removed it. */
export type SignalUpdate = Signal & { position: number };
/** A refused field of a request, as a path such as `payload.value`, and the reason. */
export type FieldError = Schemas["FieldError"];

/** An event of a lineage. `depth`: PARENT hops by the shortest path; `payload` is present when it was requested. */
export type Relative = Schemas["LineageNode"];
/** A page of a lineage, nearest first; `count` is of all pages. */
export type Lineage = Schemas["LineageAnswer"];
/** A page of the events on any path between two; `shortest` has the ids of one shortest path. */
export type Paths = Schemas["PathsAnswer"];
export type TraceSpan = Schemas["TraceSpan"];
export type TraceSummary = Schemas["TraceSummary"];
export type TraceNode = Schemas["GraphEvent"];
export type TraceGraph = Schemas["TraceGraph"];
/** A page of the events that moved a signal, and the `decay` since the last of them. */
export type Explanation = Schemas["Explanation"];
/** An event that moved a signal: `before` + `change` = `after`. */
export type Shift = Schemas["engine_explaining_Step"];
/** Hypothetical signals, each with its `actual` strength; 0 means absent in both. */
export type Supposition = Schemas["WhatIf"];
/** A node of the users' own graph: a file, a ticket, a model. */
export type Node = Omit<Schemas["NodeAnswer"], "data"> & { data: Json };
/** A graph node as seen from an event it is linked to; `edge` is the type of the link. */
export type LinkedNode = Omit<Schemas["LinkedNodeAnswer"], "data"> & { data: Json };

/** One value or several alternatives. */
export type Several<T> = T | readonly T[];
/** A position, or a time: a Date, or text as in RFC 3339, such as `2025-01-15T10:30:00Z`. */
export type Moment = number | string | Date;

/** Query parameters of an operation, from the OpenAPI document: event types as one or several, flags as booleans, moments as `Moment`. */
type Asked<Name extends keyof operations, Not extends string = never> = {
  [K in Exclude<keyof NonNullable<operations[Name]["parameters"]["query"]>, Not | "cursor">]?:
    | (K extends "type" ? Several<EventType>
      : K extends "payload" | "count" ? boolean
      : K extends "at" ? Moment
      : NonNullable<operations[Name]["parameters"]["query"]>[K])
    | undefined;
};

export type EventsQuery = Asked<"listEvents">;
export type SignalsQuery = Asked<"listSignals">;
export type LineageQuery = Asked<"listAncestors">;
export type NodeLineageQuery = Asked<"listProvenance">;
export type OpenQuery = Asked<"listOpen">;
export type PathsQuery = Asked<"listPaths", "from" | "to">;
export type CommonCausesQuery = Asked<"listCommonCauses", "ids">;
export type TracesQuery = Asked<"listTraces", "before" | "until">;
export type TraceGraphQuery = Asked<"getTraceGraph", "after">;
export type ExplainQuery = Asked<"explainSignal">;

/** Which events a stream gives. Values of one field are alternatives; all fields must match; an absent field matches every event. */
export interface Filter {
  /** Scopes or globs: `*` is one segment, `**` at the end is one or more. */
  scope?: Several<string> | undefined;
  type?: Several<EventType> | undefined;
  trace_id?: Several<string> | undefined;
  agent_id?: Several<string> | undefined;
}
