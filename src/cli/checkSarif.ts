/** Mistakes as SARIF 2.1.0 (OASIS), for code scanning and for editors. */
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { diagnosticCodes } from '../policy/codes.ts'
import type { Diagnostic, DiagnosticCode } from '../policy/diagnostics.ts'

export interface SarifOptions {
  readonly version: string
  /** Files below it are named from there: the root of a repository, most often. */
  readonly folder: string
}

export function sarifLog(diagnostics: readonly Diagnostic[], { version, folder }: SarifOptions): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Tollgate', semanticVersion: version, rules: ids.map(rule) } },
        columnKind: 'utf16CodeUnits',
        results: diagnostics.map((diagnostic) => result(diagnostic, folder)),
      },
    ],
  }
}

const ids = Object.keys(diagnosticCodes) as readonly DiagnosticCode[]

function rule(id: DiagnosticCode): object {
  const { meaning, advice } = diagnosticCodes[id]
  return { id, shortDescription: { text: meaning }, fullDescription: { text: meaning }, help: { text: advice } }
}

function result(diagnostic: Diagnostic, folder: string): object {
  const { file, severity, code, message, suggestion } = diagnostic
  const artifactLocation = locationOf(file, folder)
  const region = regionOf(diagnostic)
  return {
    ruleId: code,
    ruleIndex: ids.indexOf(code),
    level: severity,
    message: { text: unlinked(message) },
    locations: [{ physicalLocation: { artifactLocation, region } }],
    ...(suggestion !== undefined &&
      'endColumn' in region && {
        fixes: [
          {
            description: { text: `write \`${suggestion}\`` },
            artifactChanges: [
              { artifactLocation, replacements: [{ deletedRegion: region, insertedContent: { text: suggestion } }] },
            ],
          },
        ],
      }),
  }
}

function regionOf({ line, col, endLine, endCol }: Diagnostic): object {
  const end = endLine === undefined ? {} : { endLine, endColumn: endCol }
  return { startLine: line, startColumn: col, ...end }
}

function locationOf(file: string, folder: string): object {
  const path = relative(folder, resolve(folder, file))
  const outside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
  if (outside) return { uri: pathToFileURL(resolve(folder, file)).href }
  return { uri: (path || '.').split(sep).map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' }
}

/** In a message of SARIF `[text](place)` is a link: words of a file must not make one. */
function unlinked(message: string): string {
  return message.replace(/\[(?=[^\]]*\]\()/g, '\\[')
}
