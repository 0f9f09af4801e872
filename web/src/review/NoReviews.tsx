/** Nothing is listed for whoever may see nothing; that is not the same as that nothing waits. */
export function NoReviews() {
  return (
    <p className="quiet">
      Your roles see no reviews, whether some wait or not. An admin can give you the role analyst or approver,
      or a grant for one review queue.
    </p>
  );
}
