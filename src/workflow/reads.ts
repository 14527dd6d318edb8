/** Methods that by their name only read (AIP-131, AIP-132, AIP-136). */
const READS =
  /^(BatchGet|Get|List|Find|Search|Lookup|LookUp|Read|Fetch|Query|Check|Validate|Verify|Count|Describe|Watch|Has|Is|Ping|Estimate|Quote|Preview)(?=[A-Z]|$)/;

/** Whether a method, `Charge` or `acme.v1.Payments/Charge`, by its name only reads. */
export function onlyReads(method: string): boolean {
  return READS.test(method.split(/[/.]/).at(-1) ?? "");
}
