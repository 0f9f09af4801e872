import { ROLES } from '../accounts.js';
import { Check } from './Fields.js';

/** The roles as boxes. */
export function RoleBoxes({
  roles,
  disabled = false,
  onChange,
}: {
  roles: readonly string[];
  disabled?: boolean;
  onChange: (roles: readonly string[]) => void;
}) {
  return (
    <fieldset className="roles">
      <legend>Roles</legend>
      {ROLES.map((role) => (
        <Check
          key={role}
          label={role}
          checked={roles.includes(role)}
          disabled={disabled}
          onChange={(isOn) => onChange(isOn ? [...roles, role] : roles.filter((one) => one !== role))}
        />
      ))}
    </fieldset>
  );
}
