// Keeps a page up to date: when a request has changed, its part of the page is loaded anew, and what is new is said.
const news = document.getElementById('news')

async function renew() {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } })
  if (!response.ok) {
    location.reload()
    return
  }
  // Parsed as a document of its own: scripts in it would not run, and the server escapes what is not its own.
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('live')
  const shown = document.getElementById('live')
  if (!fresh || !shown || fresh.innerHTML === shown.innerHTML) return
  const focused = shown.contains(document.activeElement) ? document.activeElement.id : ''
  shown.replaceWith(fresh)
  if (focused) (document.getElementById(focused) ?? document.getElementById('main')).focus()
  const said = fresh.dataset.news ?? ''
  news.textContent = news.textContent === said ? `${said}.` : said
  const answer = document.getElementById('answer')
  if (answer && !fresh.querySelector('.state.pending')) {
    if (answer.contains(document.activeElement)) document.getElementById('main').focus()
    answer.remove()
  }
}

if (document.body.hasAttribute('data-live')) {
  let queue = Promise.resolve()
  const events = new EventSource('/events')
  events.addEventListener('change', () => {
    queue = queue.then(renew).catch(() => {})
  })
  // What changed while nobody was connected.
  let opened = false
  events.addEventListener('open', () => {
    if (opened) queue = queue.then(renew).catch(() => {})
    opened = true
  })
}
