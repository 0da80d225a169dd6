// Where a member of the simulated QQ says something: text, pictures, an answer to a message, a word to the bot.

import { useRef, useState } from 'preact/hooks'
import { act } from './api.ts'
import { bytes } from './format.ts'
import { nameOf, type Person, type Place, type Said } from './happenings.ts'
import { Check, tell, tellError } from './parts.tsx'
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
  const take = (list: Iterable<File>) => {
    for (const file of list) {
      if (!file.type.startsWith('image/')) continue
      if (file.size > BIGGEST) tell(t('too-big', bytes(BIGGEST)), true)
      else readPicture(file).then((picture) => setPictures((before) => [...before, picture]), tellError)
    }
  }
  const send = async () => {
    if (text.trim() === '' && pictures.length === 0) return
    const where = place.type === 'group' ? { group_id: place.peer, user_id: who.user_id } : { user_id: place.peer }
    const mention = at && place.type === 'group' ? `[CQ:at,qq=${selfId}] ` : ''
    const reply = replyTo ? `[CQ:reply,id=${replyTo.message_id}]` : ''
    const said = reply + mention + (codes ? text : escaped(text)) + pictures.map(asCode).join('')
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
      {replyTo && <Quoting said={replyTo} forget={forgetReply} />}
      <Thumbs pictures={pictures} keep={setPictures} />
      <div class="row">
        <Speaker who={who} people={people} speakAs={speakAs} />
        {place.type === 'group' && <Check label={t('at-bot')} checked={at} check={setAt} />}
        <Check label={t('cq-codes')} checked={codes} check={setCodes} />
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
        <PictureButton take={take} />
        <button type="submit" class="primary">
          {t('send')}
        </button>
      </div>
    </form>
  )
}

function Quoting({ said, forget }: { said: Said; forget: () => void }) {
  return (
    <p class="row">
      <blockquote>
        {nameOf(said.sender)}: {brief(said.segments)}
      </blockquote>
      <button type="button" onClick={forget}>
        {t('cancel')}
      </button>
    </p>
  )
}

function Thumbs(props: { pictures: readonly Picture[]; keep: (pictures: readonly Picture[]) => void }) {
  const { pictures, keep } = props
  if (pictures.length === 0) return null
  return (
    <p class="row">
      {pictures.map((picture) => (
        <button
          key={picture.url}
          type="button"
          class="thumb"
          aria-label={`${t('remove')} ${picture.name}`}
          onClick={() => keep(pictures.filter((one) => one !== picture))}
        >
          <img src={picture.url} alt={picture.name} />
        </button>
      ))}
    </p>
  )
}

function Speaker(props: { who: Person; people: readonly Person[]; speakAs: (user: number) => void }) {
  const { who, people, speakAs } = props
  return (
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
  )
}

/** The browser's own field for files cannot be worded: a button stands for it. */
function PictureButton({ take }: { take: (files: Iterable<File>) => void }) {
  const files = useRef<HTMLInputElement>(null)
  return (
    <>
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
    </>
  )
}

/** As text of a message, whatever codes look like. */
const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/\[/g, '&#91;').replace(/\]/g, '&#93;')

const asCode = ({ url }: Picture) => `[CQ:image,file=base64://${url.slice(url.indexOf(',') + 1)}]`

const readPicture = (file: File) =>
  new Promise<Picture>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve({ name: file.name, url: String(reader.result) })
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
