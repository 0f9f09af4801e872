/** The part of JSON Schema that a page can draw: an object of plain values. What it cannot draw is a line of text. */
interface Property {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly maxLength?: number;
}

export type FormValues = Readonly<Record<string, unknown>>;

/** A question's form, drawn from its JSON Schema. The server is the judge of what is filled in. */
export function SchemaForm({
  schema,
  values,
  problems,
  onChange,
}: {
  schema: Readonly<Record<string, unknown>>;
  values: FormValues;
  /** What the server found wrong, by the field's name. */
  problems: Readonly<Record<string, string>>;
  onChange: (values: FormValues) => void;
}) {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Property>>);
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : [];
  const set = (name: string, value: unknown): void => {
    const { [name]: _, ...others } = values;
    onChange(value === undefined ? others : { ...others, [name]: value });
  };
  return (
    <fieldset className="form">
      <legend>Details</legend>
      {properties.map(([name, property]) => (
        <label key={name} className={property.type === 'boolean' ? 'tick' : ''}>
          {property.title ?? name} {required.includes(name) ? <span className="quiet">(needed)</span> : null}
          <Field
            property={property}
            value={values[name]}
            isWrong={problems[name] !== undefined}
            onChange={(value) => set(name, value)}
          />
          {problems[name] === undefined ? null : (
            <span className="problem" role="alert">
              {problems[name]}
            </span>
          )}
          {property.description === undefined ? null : <span className="quiet">{property.description}</span>}
        </label>
      ))}
    </fieldset>
  );
}

function Field({
  property,
  value,
  isWrong,
  onChange,
}: {
  property: Property;
  value: unknown;
  isWrong: boolean;
  onChange: (value: unknown) => void;
}) {
  if (property.enum !== undefined)
    return (
      <select
        aria-invalid={isWrong}
        value={typeof value === 'string' || typeof value === 'number' ? String(value) : ''}
        onChange={({ target }) => onChange(property.enum?.find((one) => String(one) === target.value))}
      >
        <option value="">–</option>
        {property.enum.map((one) => (
          <option key={String(one)} value={String(one)}>
            {String(one)}
          </option>
        ))}
      </select>
    );
  switch (property.type) {
    case 'boolean':
      return (
        <input
          type="checkbox"
          aria-invalid={isWrong}
          checked={value === true}
          onChange={({ target }) => onChange(target.checked)}
        />
      );
    case 'number':
    case 'integer':
      return (
        <input
          type="number"
          aria-invalid={isWrong}
          step={property.type === 'integer' ? 1 : 'any'}
          value={typeof value === 'number' ? value : ''}
          onChange={({ target }) => onChange(target.value === '' ? undefined : Number(target.value))}
        />
      );
    default:
      return (
        <input
          type="text"
          aria-invalid={isWrong}
          maxLength={property.maxLength ?? 10_000}
          value={typeof value === 'string' ? value : ''}
          onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
        />
      );
  }
}

/**
 * What the server found wrong with fields that the form shows, in words for them. `others` is whether there is more that
 * only the whole sentence tells.
 */
export function fieldProblems(
  schema: Readonly<Record<string, unknown>> | null,
  found: readonly { readonly path: string; readonly message: string }[],
): { readonly byField: Readonly<Record<string, string>>; readonly hasOthers: boolean } {
  const properties = (schema?.['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  const byField: Record<string, string> = {};
  let hasOthers = found.length === 0;
  for (const { path, message } of found) {
    const name = path.replace(/^form\./, '');
    if (name === path || !Object.hasOwn(properties, name)) hasOthers = true;
    else byField[name] = byField[name] === undefined ? `It ${message}.` : `${byField[name]} It ${message}.`;
  }
  return { byField, hasOthers };
}
