// AnswerStore
