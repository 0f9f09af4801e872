import { Link } from 'react-router-dom';

/** A name of up to 1,024 bytes in a table: cut after some lines, whole for who points at it or has it read out. */
export const NameLink = ({ to, name }: { to: string; name: string }) => (
  <Link className="name" to={to} title={name}>
    {name}
  </Link>
);
