/** What came as JSON from the program under test, looked into member by member. */
// biome-ignore lint/suspicious/noExplicitAny: a test that finds another shape than it asks for fails by that
export type Answer = any
