/** The host of SNS in the topic's own region, as `sns.eu-central-1.amazonaws.com`; undefined for what is no topic's ARN. */
export function snsHostOf(topicArn: string): string | undefined {
  const [, partition, , region] =
    /^arn:(aws(?:-[a-z]+)*):(sns):([a-z0-9-]{3,40}):\d{12}:[\w.-]{1,261}$/.exec(topicArn) ?? [];
  if (partition === undefined || region === undefined) return undefined;
  return `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/**
 * The address, if it leads to SNS in the region of the topic and nowhere else: https, that host, no user, no port. It
 * comes from the message, so whoever may write it could otherwise have us call any address, and believe any certificate.
 */
export function snsAddress(url: string, topicArn: string): URL | undefined {
  const host = snsHostOf(topicArn);
  if (host === undefined || !URL.canParse(url)) return undefined;
  const address = new URL(url);
  const { protocol, hostname, port, username, password, hash } = address;
  const isPlain = port === '' && username === '' && password === '' && hash === '';
  return protocol === 'https:' && hostname === host && isPlain ? address : undefined;
}

/** The same for a certificate: a `.pem` in the root, without a query. */
export function certificateAddress(url: string, topicArn: string): URL | undefined {
  const address = snsAddress(url, topicArn);
  return address !== undefined && address.search === '' && /^\/[\w.-]{1,200}\.pem$/.test(address.pathname)
    ? address
    : undefined;
}

/** The same for the confirmation of a subscription to the topic. */
export function confirmationAddress(url: string, topicArn: string): URL | undefined {
  const address = snsAddress(url, topicArn);
  if (address === undefined || address.pathname !== '/') return undefined;
  const { searchParams } = address;
  return searchParams.get('Action') === 'ConfirmSubscription' && searchParams.get('TopicArn') === topicArn
    ? address
    : undefined;
}
