/** An address that is no page. */
import { Link } from '@tanstack/react-router';

export function NotFound() {
  return (
    <div>
      <h1>There is no such page</h1>
      <p>
        The address may be of another version. <Link to="/">The playground</Link> is a good place to
        begin.
      </p>
    </div>
  );
}
