/** A piece of XML to write: text, several pieces, or elements by name. `undefined` writes nothing. */
export type XmlContent =
  string | number | boolean | undefined | readonly XmlContent[] | { readonly [name: string]: XmlContent };

/** Writes a document with S3's namespace on its root. An array repeats the element that holds it. */
export function writeXml(root: string, content: XmlContent, namespace = true): string {
  const attribute = namespace ? ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' : '';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${write(content)}</${root}>`;
}

function write(content: XmlContent): string {
  if (content === undefined) return '';
  if (typeof content !== 'object') return escapeXml(String(content));
  if (Array.isArray(content)) return content.map((each: XmlContent) => write(each)).join('');
  return Object.entries(content)
    .map(([name, value]: [string, XmlContent]) => element(name, value))
    .join('');
}

function element(name: string, value: XmlContent): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((each: XmlContent) => element(name, each)).join('');
  const inner = write(value);
  return inner === '' ? `<${name}/>` : `<${name}>${inner}</${name}>`;
}

/**
 * Escapes text for XML. Control characters become references, as S3 writes them: XML 1.0 does not
 * allow most of them in any form, which is what `encoding-type=url` is for.
 */
export const escapeXml = (text: string): string =>
  // Control characters are exactly what is escaped here.
  text.replace(/[&<>"'\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g, (char) => {
    switch (char) {
      case '&':
        return '&amp;';
      case '<':
        return '&lt;';
      case '>':
        return '&gt;';
      case '"':
        return '&quot;';
      default:
        return `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`;
    }
  });
