# cases.rb - Ruby programs whose threads wait, in many ways; the first argument says which.
# SPDX-License-Identifier: MIT
require "monitor"
require "socket"

AUDIT = Mutex.new
LEDGER = Mutex.new

# Both have come this far before either goes on.
class Meeting
  def initialize(count)
    @count = count
    @mutex = Mutex.new
    @all = ConditionVariable.new
  end

  def wait
    @mutex.synchronize do
      @count -= 1
      @all.broadcast
      @all.wait(@mutex) while @count > 0
    end
  end
end

class Bank
  def initialize
    @both = Meeting.new(2)
  end

  def transfer
    AUDIT.synchronize do
      @both.wait
      LEDGER.lock
    end
  end

  def report
    LEDGER.synchronize do
      @both.wait
      AUDIT.synchronize {}
    end
  end
end

def named(name, &block)
  Thread.new(&block).tap { |thread| thread.name = name }
end

# The main thread lives: without it Ruby itself would say that all threads wait.
def live
  puts "ready"
  loop { sleep 0.1 }
end

def cross
  bank = Bank.new
  named("transfer") { bank.transfer }
  named("report") { bank.report }
  live
end

def joins
  other = nil
  first = named("first") { sleep 0.1 until other; other.join }
  other = named("second") { first.join }
  live
end

# Two that only feed each other, beside a process that lives.
def queues
  a, b = Queue.new, Queue.new
  named("left") { a.pop; b << 1 }
  named("right") { b.pop; a << 1 }
  live
end

def child
  reader, writer = IO.pipe
  pid = spawn("head -c 1000000 /dev/zero", out: writer)
  writer.close
  puts "ready"
  Process.wait(pid)
  reader.read
end

def idle_pool
  jobs = Queue.new
  4.times { |i| named("worker #{i}") { while jobs.pop; end } }
  idle_server(jobs)
end

def idle_server(jobs = nil)
  server = TCPServer.new("127.0.0.1", 0)
  puts "ready"
  loop { jobs ? jobs << server.accept : server.accept.close }
end

def condition
  mutex, filled = Mutex.new, ConditionVariable.new
  named("consumer") { mutex.synchronize { filled.wait(mutex) } }
  live
end

def healthy
  8.times do
    Thread.new { loop { AUDIT.synchronize { LEDGER.synchronize { sleep 0.001 } } } }
  end
  live
end

# A child of Ruby's own: where others block in write, it polls for room in the pipe.
def full
  reader, writer = IO.pipe
  pid = fork { reader.close; writer.write("x" * 1_000_000) }
  writer.close
  puts "ready"
  Process.wait(pid)
  reader.read
end

# Parent and child read first, each from the other.
def ask
  down, up = IO.pipe, IO.pipe
  fork { down[1].close; up[0].close; down[0].read(1); up[1].write("x") }
  down[0].close
  up[1].close
  puts "ready"
  up[0].read(1)
  down[1].write("y")
end

# What a handler writes to is read in the main thread.
def self_pipe
  reader, writer = IO.pipe
  trap("TERM") { writer.puts "end" }
  puts "ready"
  reader.gets
end

# Nobody has the pipe but the program itself, and no handler of its writes to it.
def own_pipe
  reader, writer = IO.pipe
  queue = Queue.new
  named("reader") { queue << reader.read(1) }
  puts "ready"
  queue.pop
  writer.write("x")
end

# The trap is run whatever the main thread waits for.
def trapped_pop
  reader, writer = IO.pipe
  trap("TERM") { writer.write("x") }
  queue = Queue.new
  named("reader") { queue << reader.read(1) }
  puts "ready"
  queue.pop
end

def trapped_join
  reader, writer = IO.pipe
  trap("INT") { writer.write("x") }
  puts "ready"
  named("reader") { reader.read(1) }.join
end

# The child reads what a trap of its parent writes.
def trapped_hup
  reader, writer = IO.pipe
  trap("HUP") { writer.write("x") }
  fork { trap("HUP", "DEFAULT"); writer.close; reader.read(1) }
  puts "ready"
  Process.wait
end

def self_select
  reader, writer = IO.pipe
  trap("TERM") { writer.puts "end" }
  puts "ready"
  IO.select([reader])
end

module Store
  LOCK = Mutex.new
  def self.get = LOCK.synchronize { 1 }
end

class Pool
  LIMIT = Mutex.new

  def initialize
    @jobs, @lock, @filled, @size, @idle = Queue.new, Mutex.new, ConditionVariable.new, 1, true
  end

  def take = @jobs.pop
  def wait = @lock.synchronize { @filled.wait(@lock) }
  def limit = LIMIT.synchronize { 1 }
end

# An object with three variables or less has them in itself.
class Small
  attr_reader :monitor

  def initialize
    @monitor = Monitor.new
  end

  def enter = @monitor.synchronize { 1 }
end

# What threads wait for, by all kinds of names, and by none.
def names
  pool, small, orders = Pool.new, Small.new, Queue.new
  [AUDIT, Store::LOCK, Pool::LIMIT].each(&:lock)
  small.monitor.enter
  named("constant") { AUDIT.synchronize { 1 } }
  named("module") { Store.get }
  named("class") { pool.limit }
  named("variable") { pool.take }
  named("condition") { pool.wait }
  named("small") { small.enter }
  named("outer") { [1].each { orders.pop } }
  named("inner") { [1].each { mine = Queue.new; mine.pop } }
  named("nameless") { Queue.new.pop }
  live
end

# For ten seconds nothing happens but ticks; then all is quiet. The main thread reads: Ruby would say that all threads wait.
def late
  Thread.new { Queue.new.pop }
  50.times { sleep 0.2 }
  bank = Bank.new
  named("transfer") { bank.transfer }
  named("report") { bank.report }
  puts "ready"
  IO.pipe[0].read(1)
end

$stdout.sync = true
send(ARGV.fetch(0))
