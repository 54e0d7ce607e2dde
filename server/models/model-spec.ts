/** A model is a plugin with a configuration and a name. */
export interface ModelSpec {
  /** "" until authentication brings others. */
  readonly namespace: string;
  readonly name: string;
  /** The module specifier of the plugin. */
  readonly plugin: string;
  /** As the plugin's schema made it: validated, with defaults. */
  readonly config: { readonly seed: number };
}

/** What a model is, without where its tables are. */
export function specOf({ descriptor }: { readonly descriptor: ModelSpec }): ModelSpec {
  const { namespace, name, plugin, config } = descriptor;
  return { namespace, name, plugin, config };
}
