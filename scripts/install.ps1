# Installs perpetua on Windows, or replaces it with another version: for this user, without administrator rights.
#
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Dir FOLDER] [-To VERSION] [-Mirror URL] [-Base URL]
#
# -Dir     where the program goes; default: %LOCALAPPDATA%\perpetua
# -To      a version such as 0.1.0; default: the newest
# -Mirror  put before the whole address of a file, as download mirrors want it
# -Base    a server with the paths of GitHub; default: GitHub itself
# -NoPath  leave the user's PATH as it is
param(
  [string]$Dir = (Join-Path $env:LOCALAPPDATA 'perpetua'),
  [string]$To = '',
  [string]$Mirror = '',
  [string]$Base = 'https://github.com',
  [switch]$NoPath
)
$ErrorActionPreference = 'Stop'
# Without it, drawing the progress takes longer than the download.
$ProgressPreference = 'SilentlyContinue'
$repository = 'IUnlimit/perpetua'
$target = 'windows-x64'

function Get-Address([string]$file) {
  $release = if ($To) { "download/v$($To -replace '^v', '')" } else { 'latest/download' }
  $prefix = if ($Mirror) { "$($Mirror.TrimEnd('/'))/" } else { '' }
  "$prefix$($Base.TrimEnd('/'))/$repository/releases/$release/$file"
}

function Save-File([string]$file, [string]$to) {
  try {
    Invoke-WebRequest -UseBasicParsing -Uri (Get-Address $file) -OutFile $to
  } catch {
    throw "$file was not downloaded: $($_.Exception.Message); nothing was changed. Try again, or use -Mirror"
  }
}

function Get-Wanted([string]$list, [string]$archive) {
  foreach ($line in Get-Content $list) {
    if ($line -match '^([0-9a-f]{64}) [ *](.+)$' -and $Matches[2] -eq $archive) { return $Matches[1] }
  }
  throw "SHA256SUMS does not list $archive; nothing was changed"
}

function Install-Program([string]$work) {
  $archive = "perpetua-$target.zip"
  $packed = Join-Path $work $archive
  Write-Output "Downloading $(Get-Address $archive)"
  Save-File 'SHA256SUMS' (Join-Path $work 'SHA256SUMS')
  Save-File $archive $packed
  $wanted = Get-Wanted (Join-Path $work 'SHA256SUMS') $archive
  $found = (Get-FileHash -Algorithm SHA256 $packed).Hash.ToLowerInvariant()
  if ($found -ne $wanted) {
    throw "$archive is damaged, or another file: its SHA-256 is $found, wanted $wanted; nothing was changed"
  }
  Expand-Archive -Path $packed -DestinationPath $work
  $next = Join-Path $work "perpetua-$target\perpetua.exe"
  $version = & $next --version
  if ($LASTEXITCODE -ne 0) { throw "it does not start here; nothing was changed" }

  New-Item -ItemType Directory -Force $Dir | Out-Null
  $program = Join-Path $Dir 'perpetua.exe'
  $old = "$program.old"
  $replaced = Test-Path -LiteralPath $program
  if ($replaced) {
    Clear-Old $old
    Rename-Item -LiteralPath $program -NewName 'perpetua.exe.old'
  }
  try {
    Move-Item -LiteralPath $next -Destination $program
  } catch {
    if ($replaced) { Rename-Item -LiteralPath $old -NewName 'perpetua.exe' }
    throw
  }
  Write-Output "Installed perpetua ${version}: $program"
  if ($replaced) { Write-Output 'The one before is kept as perpetua.exe.old; a gateway that runs goes on with it until it is restarted.' }
}

# One that runs can be neither replaced nor removed, but renamed; those that run no more are removed.
function Clear-Old([string]$old) {
  Get-ChildItem -Path "$old.*" -ErrorAction SilentlyContinue | Remove-Item -Force -ErrorAction SilentlyContinue
  if (-not (Test-Path -LiteralPath $old)) { return }
  try {
    Remove-Item -LiteralPath $old -Force
  } catch {
    Rename-Item -LiteralPath $old -NewName "perpetua.exe.old.$([Guid]::NewGuid().ToString('N'))"
  }
}

function Add-ToPath([string]$folder) {
  $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true)
  try {
    # As it is written there: what stands between % is not ours to replace.
    $path = [string]$key.GetValue('Path', '', 'DoNotExpandEnvironmentNames')
    if (($path -split ';') -contains $folder) { return }
    $all = (@($path.TrimEnd(';'), $folder) | Where-Object { $_ }) -join ';'
    $key.SetValue('Path', [string]$all, 'ExpandString')
  } finally {
    $key.Dispose()
  }
  # Windows tells those that run of a change that is made this way, and only so.
  [Environment]::SetEnvironmentVariable('perpetua-installed', $null, 'User')
  Write-Output "$folder was added to your PATH; windows that are open know it after they are opened anew."
}

if (-not [Environment]::Is64BitOperatingSystem) { throw 'there is no build for 32 bits' }
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
$work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
New-Item -ItemType Directory $work | Out-Null
# Also where it was named from here, such as .\bin.
$Dir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Dir).TrimEnd('\')
try {
  Install-Program $work
  if (-not $NoPath) { Add-ToPath $Dir }
  Write-Output 'Next, in a folder for its config and data: perpetua init, then perpetua'
} catch {
  [Console]::Error.WriteLine("install.ps1: $($_.Exception.Message)")
  exit 1
} finally {
  # A scanner may still look at what was tried there.
  Remove-Item -Recurse -Force $work -ErrorAction SilentlyContinue
}
