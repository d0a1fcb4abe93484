/** Limits of a scan, each with its reason. What is listed comes from a server that nobody has checked. */

/** Items of one list: the largest servers have some hundreds, and a policy of this many still compiles in seconds. */
export const listItemsMax = 2_000

/** Requests for one list: a server whose pages never end must not keep us. */
export const listPagesMax = 200

/** All lists together, as JSON: real servers stay below 100 KB. */
export const listBytesMax = 32 * 1024 * 1024

/** How much of a description is shown in a policy; the rest is in `--json`. */
export const descriptionCharsMax = 500

/** A parameter gets a line or two. */
export const parameterCharsMax = 120

/** Parameters of one tool. */
export const parametersMax = 40

/** Values of one enumeration, and characters of one value. */
export const valuesMax = 12
export const valueCharsMax = 40

/** Local references followed and types nested, while a parameter's type is named, and alternatives at each step. */
export const schemaDepthMax = 3
export const schemaChoicesMax = 4

/** Deeper parts of a definition are not searched for hidden text, which is told: no honest definition has them. */
export const definitionDepthMax = 32

/** Places of one definition in which text is hidden: a person who has read some knows enough. */
export const hiddenPlacesMax = 20

/** Characters of one place that are named, and how much of what they come to is shown. */
export const hiddenCodePointsMax = 4
export const hiddenSpeltCharsMax = 80

/** Tools with what the server says of them, then tools as bare entries, then everything that is only a comment: all together stay below the 4 MiB that `check` reads. */
export const describedBytesMax = 2 * 1024 * 1024
export const bareBytesMax = 1024 * 1024
export const asideBytesMax = 256 * 1024
