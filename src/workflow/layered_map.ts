/**
 * A map laid over another: what every step of a long list sees costs only what the step before it
 * added. It is flattened now and then, so that looking up stays quick.
 */
export class LayeredMap<V> implements ReadonlyMap<string, V> {
  static readonly #DEEPEST = 32;
  readonly #own: ReadonlyMap<string, V>;
  readonly #under: LayeredMap<V> | null;
  readonly #depth: number;

  constructor(own: ReadonlyMap<string, V> = new Map(), under: LayeredMap<V> | null = null) {
    this.#depth = under === null ? 0 : under.#depth + 1;
    const isDeep = this.#depth > LayeredMap.#DEEPEST;
    this.#own = isDeep ? new Map([...(under ?? []), ...own]) : own;
    this.#under = isDeep ? null : under;
    if (isDeep) this.#depth = 0;
  }

  /** This map with more on top; nothing to add gives the map itself. */
  with(more: ReadonlyMap<string, V>): LayeredMap<V> {
    return more.size === 0 ? this : new LayeredMap(more, this);
  }

  get(key: string): V | undefined {
    return this.#own.get(key) ?? this.#under?.get(key);
  }

  has(key: string): boolean {
    return this.#own.has(key) || this.#under?.has(key) === true;
  }

  get size(): number {
    return this.#flat().size;
  }

  forEach(each: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    this.#flat().forEach((value, key) => each(value, key, this));
  }

  entries(): MapIterator<[string, V]> {
    return this.#flat().entries();
  }

  keys(): MapIterator<string> {
    return this.#flat().keys();
  }

  values(): MapIterator<V> {
    return this.#flat().values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  #flat(): Map<string, V> {
    const flat = this.#under === null ? new Map<string, V>() : this.#under.#flat();
    for (const [key, value] of this.#own) flat.set(key, value);
    return flat;
  }
}
