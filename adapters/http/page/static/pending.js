// Questions of this tab that are not answered yet, so that a reload goes on with them.

const name = (id) => `pending:${id}`;

export const pending = (id) => JSON.parse(sessionStorage.getItem(name(id)) ?? "[]");

export function remember(id, question) {
  forget(id, question);
  sessionStorage.setItem(name(id), JSON.stringify([...pending(id), question]));
}

export function forget(id, question) {
  const others = pending(id).filter((each) => each.question_id !== question.question_id);
  if (others.length) sessionStorage.setItem(name(id), JSON.stringify(others));
  else sessionStorage.removeItem(name(id));
}
