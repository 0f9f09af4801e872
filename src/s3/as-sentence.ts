/** With a full stop at its end, so that another sentence can follow; what others say has one or has none. */
export function asSentence(text: string): string {
  const said = text.trimEnd();
  return said === '' || /[.!?…]$/.test(said) ? said : `${said}.`;
}
