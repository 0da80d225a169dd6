// Where a member of the simulated QQ says something: text, pictures, an answer to a message, a word to the bot.

import { useRef, useState } from 'preact/hooks'
import { act } from './api.ts'
import { bytes } from './format.ts'
import { nameOf, type Person, type Place, type Said } from './happenings.ts'
import { tell, tellError } from './parts.tsx'
import { brief } from './segments.tsx'
import { t } from './words.ts'

interface Picture {
  readonly name: string
  /** data:image/png;base64,... */
  readonly url: string
}

/** Bytes; a bigger one would go through the gateway as text, to every client. */
const BIGGEST = 4 * 1024 * 1024

export function Compose(props: {
  place: Place
  who: Person
  people: readonly Person[]
  speakAs: (user: number) => void
  selfId: number
  replyTo: Said | undefined
  forgetReply: () => void
}) {
  const { place, who, people, speakAs, selfId, replyTo, forgetReply } = props
  const [text, setText] = useState('')
  const [pictures, setPictures] = useState<readonly Picture[]>([])
  const [at, setAt] = useState(false)
  const [codes, setCodes] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const files = useRef<HTMLInputElement>(null)
  const take = (list: Iterable<File>) => {
    for (const file of list) {
      if (!file.type.startsWith('image/')) continue
      if (file.size > BIGGEST) tell(t('too-big', bytes(BIGGEST)), true)
      else readPicture(file).then((picture) => setPictures((before) => [...before, picture]), tellError)
    }
  }
  const send = async () => {
    const said =
      (replyTo ? `[CQ:reply,id=${replyTo.message_id}]` : '') +
      (at && place.type === 'group' ? `[CQ:at,qq=${selfId}] ` : '') +
      (codes ? text : escaped(text)) +
      pictures.map(({ url }) => `[CQ:image,file=base64://${url.slice(url.indexOf(',') + 1)}]`).join('')
    if (text.trim() === '' && pictures.length === 0) return
    const where = place.type === 'group' ? { group_id: place.peer, user_id: who.user_id } : { user_id: place.peer }
    try {
      await act('api/sandbox/say', { text: said, ...where })
      setText('')
      setPictures([])
      forgetReply()
    } catch (error) {
      tellError(error)
    }
    field.current?.focus()
  }
  const key = (event: KeyboardEvent) => {
    // While characters are being composed, Enter chooses one of them.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <form
      class="compose"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {replyTo && (
        <p class="row">
          <blockquote>
            {nameOf(replyTo.sender)}: {brief(replyTo.segments)}
          </blockquote>
          <button type="button" onClick={forgetReply}>
            {t('cancel')}
          </button>
        </p>
      )}
      {pictures.length > 0 && (
        <p class="row">
          {pictures.map((picture) => (
            <button
              key={picture.url}
              type="button"
              class="thumb"
              aria-label={`${t('remove')} ${picture.name}`}
              onClick={() => setPictures(pictures.filter((one) => one !== picture))}
            >
              <img src={picture.url} alt={picture.name} />
            </button>
          ))}
        </p>
      )}
      <div class="row">
        <label>
          {t('speak-as')}{' '}
          <select value={who.user_id} onChange={({ currentTarget }) => speakAs(Number(currentTarget.value))}>
            {people.map((person) => (
              <option key={person.user_id} value={person.user_id}>
                {nameOf(person)}
                {person.role && person.role !== 'member' ? ` · ${t(`role-${person.role}`)}` : ''}
              </option>
            ))}
          </select>
        </label>
        {place.type === 'group' && (
          <label class="check">
            <input type="checkbox" checked={at} onChange={({ currentTarget }) => setAt(currentTarget.checked)} />
            {t('at-bot')}
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={codes} onChange={({ currentTarget }) => setCodes(currentTarget.checked)} />
          {t('cq-codes')}
        </label>
      </div>
      <div class="row line">
        <textarea
          ref={field}
          rows={2}
          aria-label={t('message')}
          placeholder={t('message-hint')}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={key}
          onPaste={({ clipboardData }) => clipboardData && take(clipboardData.files)}
        />
        <input
          ref={files}
          type="file"
          accept="image/*"
          multiple
          class="hidden"
          tabIndex={-1}
          aria-label={t('picture')}
          onChange={({ currentTarget }) => {
            take(currentTarget.files ?? [])
            currentTarget.value = ''
          }}
        />
        <button type="button" onClick={() => files.current?.click()}>
          {t('picture')}
        </button>
        <button type="submit" class="primary">
          {t('send')}
        </button>
      </div>
    </form>
  )
}

/** As text of a message, whatever codes look like. */
const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/\[/g, '&#91;').replace(/\]/g, '&#93;')

const readPicture = (file: File) =>
  new Promise<Picture>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve({ name: file.name, url: String(reader.result) })
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
