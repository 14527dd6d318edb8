/** Small workflows of every shape that a rollback can meet; each call of `s.Do` can be made to fail. */

const HEAD = `services:
  s: { endpoint: "s:1", circuit_breaker: false, retry: { attempts: 1 } }
steps:
`;

const undone = (id: string, more = "") =>
  `{ id: ${id}, service: s, method: Do, compensate: { method: Undo, input: { of: "{{ .run.id }}" } }${more} }`;
const plain = (id: string, more = "") => `{ id: ${id}, service: s, method: Do${more} }`;

/** By what they show. */
export const SAGAS: Readonly<Record<string, string>> = {
  "a sequence": `
  - ${undone("a")}
  - ${plain("b")}
  - ${undone("c", `, when: "{{ .input.yes }}"`)}
  - ${plain("d", `, verify: { method: Find }, compensate: { method: Undo }`)}
  - { set: { e: "{{ .input.no_such_field }}" } }
`,
  "a compensation that reads the answer, and one of steps": `
  - { id: a, service: s, method: Do, compensate: { method: Undo, input: { id: "{{ .a.id }}" } } }
  - id: b
    service: s
    method: Do
    compensate:
      steps:
        - { id: found, service: s, method: Find, input: { id: "{{ .b.id }}" } }
        - { service: s, method: Undo }
  - ${plain("c")}
`,
  "groups in groups": `
  - ${undone("a")}
  - id: g
    steps:
      - ${undone("b")}
      - steps: [ ${undone("c")}, ${undone("d")} ]
      - ${undone("e")}
  - ${plain("f")}
`,
  "branches side by side": `
  - ${undone("a")}
  - id: p
    parallel:
      - ${undone("b")}
      - { id: g, steps: [ ${undone("c")}, ${undone("d")} ] }
      - ${undone("e", ", needs: [b]")}
      - ${undone("f", ", needs: [e, g]")}
  - ${plain("z")}
`,
  "the ways of a switch": `
  - id: w
    switch:
      - when: "{{ .input.yes }}"
        steps: [ ${undone("a")}, ${undone("b")} ]
      - steps: [ ${undone("c")} ]
  - ${plain("z")}
`,
  "rounds one after the other": `
  - ${undone("a")}
  - id: each
    foreach: [x, y, z]
    steps: [ ${undone("b")}, ${undone("c")} ]
  - id: again
    repeat: [ ${undone("d")}, { id: state, service: s, method: Poll } ]
    until: "{{ .state.done }}"
    max_rounds: 5
  - ${plain("z")}
`,
  "rounds side by side": `
  - id: each
    foreach: [x, y, z, u, v]
    concurrency: 2
    on_failure: finish
    steps: [ ${undone("b")}, ${undone("c")} ]
  - ${plain("z")}
`,
  "a catch that goes on": `
  - ${undone("a")}
  - id: g
    steps: [ ${undone("b")}, ${undone("c")} ]
    catch:
      - codes: [FAILED_PRECONDITION]
        undo: true
        steps: [ ${undone("d")} ]
      - codes: [NOT_FOUND]
  - ${undone("e", `, catch: [ { codes: [UNAVAILABLE] } ]`)}
  - ${plain("z")}
`,
  "a pivot": `
  - ${undone("a")}
  - ${plain("pay", ", pivot: true")}
  - ${undone("b")}
  - ${plain("z", `, catch: [ { codes: [NOT_FOUND] } ]`)}
`,
  "a pivot that may be skipped": `
  - ${undone("a")}
  - ${plain("pay", `, pivot: true, when: "{{ .input.yes }}"`)}
  - ${undone("b")}
`,
  "child runs": `
  - ${undone("a")}
  - { id: inner, workflow: inner.yaml }
  - { id: other, workflow: inner.yaml, compensate: { service: s, method: Undo } }
  - ${plain("z")}
`,
};

/** The child of {@linkcode SAGAS}. */
export const SAGA_FILES: Readonly<Record<string, string>> = {
  "inner.yaml": `name: inner\n${HEAD}  - ${undone("x")}\n  - ${plain("y")}\n`,
};

/** The whole text of one. */
export function sagaText(steps: string): string {
  return `name: saga\n${HEAD}${steps}`;
}
