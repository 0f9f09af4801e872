import { NavLink } from 'react-router-dom';

/** The two lists about findings. */
export const Places = () => (
  <span className="actions">
    <NavLink className="button" to="/findings" end>
      Exceptions
    </NavLink>
    <NavLink className="button" to="/findings/remedies">
      Remedies
    </NavLink>
  </span>
);
