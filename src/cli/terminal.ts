/** Colours, on a terminal that wants them (https://no-color.org) and nowhere else. */

const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const

export type Colour = keyof typeof codes

export function paint(colour: Colour, text: string, stream: NodeJS.WriteStream): string {
  const wanted = stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  return wanted ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text
}
