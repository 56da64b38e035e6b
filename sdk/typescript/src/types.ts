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

/** Of a reward or a penalty: it also moves the signals of proposals further up. */
export interface Credit {
  /** What each hop beyond the proposals it answers to is worth of the one before, 0..1. */
  discount: number;
  /** PARENT hops from the event, 1..64; 8 unless given. */
  max_depth?: number;
}

interface Judgement extends Payload {
  reason?: string | null;
  credit?: Credit | null;
}

/** What the service checks of each type's payload; all other keys are kept. */
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
  /** `value`: 0..1. `α` or `alpha`: what it is multiplied by; the signal's own unless given. */
  reward: Judgement & { value: number; α?: number | null; alpha?: number | null };
  /** `value`: -1..1, taken by its size. */
  penalty: Judgement & { value: number };
  /** Withdraws the proposals that are its parents. `value`: 0..1, 0.3 unless given. */
  cancel: Payload & { value?: number; reason?: string | null };
}

/** One kind of record for each type of event, so that `event.type` tells what `event.payload` is. */
type ByType<T extends { type: EventType; payload: unknown }> = {
  [K in EventType]: Omit<T, "type" | "payload"> & { type: K; payload: Payloads[K] };
}[EventType];

/** An event of the log. */
export type SempEvent = ByType<Schemas["Event"]>;
/** An event as it was stored: `signals` is what storing it moved, empty when the log had it already. */
export type Emitted = ByType<Schemas["RecordedEvent"] & { signals: Move[] }>;
/** An event before it is in the log. Its id is set when it is made, so it may be sent as often as is needed. */
export type NewEvent = ByType<
  Pick<Schemas["NewEvent"], "type" | "scope" | "trace_id" | "agent_id" | "payload"> & { id: string; parent_ids: string[] }
>;
/** What an event did to a signal. Strengths are 0..1, and 0 stands for absent; `share` is there where it is less than 1. */
export type Move = Schemas["Move"];

/** A live signal, decayed to the moment of the answer. Strength is 0..1; below 0.01 a signal is gone. */
export type Signal = Schemas["SignalView"];
/** A signal right after the event at `position` moved it; strength 0 when that made it vanish. */
export type SignalUpdate = Signal & { position: number };
/** A field of what was sent, as a path such as `payload.value`, and why it was refused. */
export type FieldError = Schemas["FieldError"];

/** An event of a lineage; `depth` is PARENT hops by the shortest way, `payload` is there when it was asked for. */
export type Relative = Schemas["LineageNode"];
/** A page of a lineage, nearest first; `count` is of all pages. */
export type Lineage = Schemas["LineageAnswer"];
/** A page of the events on any way between two; `shortest` has the ids of one shortest way. */
export type Paths = Schemas["PathsAnswer"];
export type TraceSpan = Schemas["TraceSpan"];
export type TraceSummary = Schemas["TraceSummary"];
export type TraceNode = Schemas["GraphEvent"];
export type TraceGraph = Schemas["TraceGraph"];
/** A page of the events that moved a signal, and what time has taken (`decay`) since the last of them. */
export type Explanation = Schemas["Explanation"];
/** An event that moved a signal, and by how much: `before` + `change` is `after`. */
export type Shift = Schemas["engine_explaining_Step"];
/** The signals as they would be, each with its `actual` strength; 0 stands for absent in both. */
export type Supposition = Schemas["WhatIf"];
/** A node of the users' own graph: a file, a ticket, a model. */
export type Node = Omit<Schemas["NodeAnswer"], "data"> & { data: Json };
/** A graph node as seen from an event it is linked to; `edge` is the type of the link. */
export type LinkedNode = Omit<Schemas["LinkedNodeAnswer"], "data"> & { data: Json };

/** One value or several alternatives. */
export type Several<T> = T | readonly T[];
/** A position, or a time: a Date, or text as RFC 3339 has it, such as `2025-01-15T10:30:00Z`. */
export type Moment = number | string | Date;

/** What `GET` of this operation takes, as the document says; the types of events as one or several, flags as booleans, moments as such. */
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

/** What a stream gives: values of one field are alternatives, fields must all hold, none holds for every event. */
export interface Filter {
  /** Scopes or globs: `*` is one segment, `**` at the end is one or more. */
  scope?: Several<string> | undefined;
  type?: Several<EventType> | undefined;
  trace_id?: Several<string> | undefined;
  agent_id?: Several<string> | undefined;
}
