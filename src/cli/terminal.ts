/** Colours, on a terminal that wants them (https://no-color.org) and nowhere else. */

const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const

export type Colour = keyof typeof codes

export function paint(colour: Colour, text: string, stream: NodeJS.WriteStream): string {
  const wanted = stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  return wanted ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text
}

/** Text from outside, without characters that steer a terminal. */
export function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${(char.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  )
}
