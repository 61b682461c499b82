"""Scripts whose replies are compared with those of redis-server, each run in RESP2 and RESP3 with one key and one argument.

Left out is where 7.0.15 is not the surface: numbers in their shortest text, and the version's own words.
"""

CONVERSIONS = """
return 1
return 0
return -7
return 0.5
return -3.99
return 3.99
return 1e15
return 9007199254740993
return 2^53
return 1e300
return -1e300
return 1/0
return -1/0
return true
return false
return nil
return
return 'text'
return ''
return 'a\\0b'
return 'line\\r\\nline'
return {}
return {1,2,3}
return {1,2,nil,3}
return {1,'two',{3,'four',{5}}}
return {nil,1}
return {true,false,true}
return {1.9,-1.9}
return {a=1}
return {1,2,a=3}
return {[1]=1,[2]=2,[4]=4}
return {{},{},{{}}}
return {ok='fine'}
return {ok='with\\r\\nlines'}
return {ok=''}
return {ok=1}
return {ok={}}
return {err='ERR mine'}
return {err='My Err'}
return {err='x'}
return {err=''}
return {err='-x'}
return {err='My\\nErr'}
return {err=1}
return {{err='E a'},{ok='b'},3}
return {double=1}
return {double=1e100}
return {double=1/0}
return {double=-1/0}
return {double='x'}
return {map={a=1}}
return {map={}}
return {map={a={map={b=2}}}}
return {map={[1]='x'}}
return {map=1}
return {set={a=true}}
return {set={}}
return {set={[5]=true}}
return {set='a'}
return {big_number='123456789012345678901234567890'}
return {big_number='-1\\r\\n2'}
return {big_number=12}
return {verbatim_string={string='some text',format='txt'}}
return {verbatim_string={string='# md',format='mkd'}}
return {verbatim_string={string='short',format='m'}}
return {verbatim_string={string='no format'}}
return {verbatim_string={format='txt'}}
return {verbatim_string='x'}
return {{double=1.5},{map={k='v'}},{set={m=true}},{big_number='9'},{verbatim_string={string='v',format='txt'}}}
redis.setresp(3) return true
redis.setresp(3) return false
redis.setresp(3) return nil
redis.setresp(3) return {true,false}
redis.setresp(3) return {double=2.5}
redis.setresp(3) redis.setresp(2) return true
return function() end
return redis
return KEYS
return ARGV
return {KEYS,ARGV}
return #KEYS+#ARGV
return {KEYS[1],ARGV[1]}
local t={1} for i=1,100 do t={t} end return t
local t={} for i=1,5000 do t[i]=i end return t
return setmetatable({},{__index=function() return 1 end})
return setmetatable({1,2},{__index=function(t,i) if i<5 then return i end end})
"""

CALLS = """
return redis.call('get','s')
return redis.call('get','nothing')
return redis.call('GET','i')
return redis.call('incr','i')
return redis.call('lrange','l',0,-1)
return redis.call('lrange','nothing',0,-1)
return redis.call('hgetall','h')
return redis.call('smembers','one')
return redis.call('zrange','z',0,-1,'withscores')
return redis.call('zscore','z','a')
return redis.call('zscore','z','nothing')
return redis.call('set','n','v','nx')
return redis.call('set','s','v','nx')
return redis.call('ping')
return redis.call('ping','x')
return redis.call('echo','x')
return redis.call('type','l')
return redis.call('object','encoding','i')
return redis.call('exists','s','i','nothing')
return redis.call('incrbyfloat','i','1.5')
return redis.call('select',3)
return {redis.call('select',3),redis.call('set','in3','x'),redis.call('dbsize')}
redis.call('select',3) redis.call('select',0) return redis.call('get','s')
return redis.call('select',99)
return type(redis.call('get','nothing'))
return type(redis.call('get','s'))
return type(redis.call('incr','i'))
return type(redis.call('lrange','l',0,-1))
return type(redis.call('set','n','1'))
return redis.call('set','n','1')['ok']
return redis.call('lpop','nothing')
return redis.call('lpop','nothing',2)
return type(redis.call('lpop','nothing',2))
return redis.call('blpop','nothing',0)
return redis.call('brpoplpush','nothing','other',0)
return redis.call('lmove','l','l','left','right')
return redis.call('geoadd','g',13.361389,38.115556,'Palermo')
redis.call('geoadd','g',13.361389,38.115556,'Palermo') return redis.call('geopos','g','Palermo','x')
return redis.call('config','get','maxmemory')
return redis.call('config','set','maxmemory','0')
return redis.call('client','id')
return redis.call('client','getname')
return redis.call('multi')
return redis.call('exec')
return redis.call('watch','s')
return redis.call('subscribe','a')
return redis.call('eval','return 1',0)
return redis.call('evalsha','x',0)
return redis.call('script','load','return 1')
return redis.call('debug','sleep','0')
return redis.call('shutdown')
return redis.call('monitor')
return redis.call('hello',3)
return redis.call('auth','x')
return redis.call('reset')
return redis.call('quit')
return redis.call('save')
return redis.call('bgsave')
return redis.call('publish','c','m')
return redis.call('pubsub','channels')
return redis.call('command','count') > 0
return redis.call('lastsave') > 0
return redis.call('foo')
return redis.call('foo','bar')
return redis.pcall('foo')
return redis.call('get')
return redis.call('get','a','b')
return redis.pcall('get')
return redis.call('object')
return redis.call('object','nosuch')
return redis.call('object','encoding')
return redis.call('client')
return redis.call('client','nosuch')
return redis.call()
return redis.pcall()
return redis.call(nil)
return redis.pcall(nil)
return redis.call({})
return redis.call(true)
return redis.call('get',nil)
return redis.call('get',{})
return redis.call('get',true)
return redis.call('get','l')
return redis.pcall('get','l')
return redis.call('lpush','s','x')
return {redis.pcall('get','l'),redis.pcall('get','s')}
return redis.pcall('get','l')['err']
return redis.pcall('get','l').err
local e=redis.pcall('get','l') return {e.err,type(e.source),type(e.line)}
local e=redis.pcall('foo') return {e.err,tostring(e.ignore_error_stats_update)}
return {pcall(redis.call,'get','l')}
return {pcall(redis.call,'foo')}
return {pcall(redis.pcall,'get','l')}
return {xpcall(function() return redis.call('get','l') end, function(e) return type(e) end)}
return {xpcall(function() error('x') end, function(e) return e end)}
local ok,e=pcall(function() error({err='MINE x'}) end) return {type(e),e}
local ok,e=pcall(function() error({code=1}) end) return {type(e),e.code}
local ok,e=pcall(error) return {ok,type(e)}
return redis.call('set','n',1.5) and redis.call('get','n')
return redis.call('set','n',100) and redis.call('get','n')
return redis.call('set','n',1e15) and redis.call('get','n')
return redis.call('set','n',12345678901234) and redis.call('get','n')
return redis.call('set','n',-5) and redis.call('get','n')
return redis.call('set','n',2^31) and redis.call('get','n')
return redis.call('set','n',1/0) and redis.call('get','n')
return redis.call('set','n',-1/0) and redis.call('get','n')
return redis.call('set','n','a\\0b') and redis.call('strlen','n')
return redis.call('append','n',KEYS[1]..ARGV[1])
return redis.call('mset',unpack({'a','1','b','2'}))
local t={'rpush','many'} for i=1,200 do t[#t+1]=i end return redis.call(unpack(t))
redis.setresp(3) return redis.call('hgetall','h')
redis.setresp(3) return redis.call('smembers','one')
redis.setresp(3) return redis.call('zscore','z','a')
redis.setresp(3) return redis.call('zrange','z',0,-1,'withscores')
redis.setresp(3) return redis.call('get','nothing')
redis.setresp(3) return type(redis.call('get','nothing'))
redis.setresp(3) return type(redis.call('zscore','z','a').double)
redis.setresp(3) return redis.call('hgetall','h').map['f']
redis.setresp(3) return redis.call('smembers','one').set['m']
redis.setresp(3) return redis.call('sismember','one','m')
redis.setresp(3) return redis.call('lrange','l',0,-1)
redis.setresp(3) return redis.call('lpop','nothing')
redis.setresp(3) return redis.call('config','get','x')
redis.setresp(3) return redis.call('get','l')
redis.setresp(3) return redis.call('xadd','x','1-1','f','v')
redis.call('xadd','x','1-1','f','v') return redis.call('xrange','x','-','+')
redis.setresp(3) redis.call('xadd','x','1-1','f','v') return redis.call('xread','streams','x','0')
return redis.call('xread','block',10,'streams','x','$')
return redis.call('bzpopmin','nothing',1)
return redis.call('del','s') + redis.call('exists','s')
return redis.call('expire','s',100) + redis.call('ttl','s')
return redis.call('sort','l')
return redis.call('sort','l','alpha','desc')
return redis.call('keys','nothing*')
return redis.call('randomkey') ~= nil
return redis.call('dbsize')
return redis.call('flushall')
return redis.call('time')[1] == redis.call('time')[1]
return redis.call('dump','nothing')
return redis.call('restore','r',0,redis.call('dump','s'))
return redis.call('spop','one')
return redis.call('getdel','s')
return redis.call('memory','usage','nothing')
"""

ERRORS = """
error('foo')
error('foo',0)
error('foo',2)
error({err='My Err'})
error({err='My Err', x=1})
error({err='-My Err'})
error()
error(5)
error(nil)
error('')
error('two\\nlines')
error({err='two\\nlines'})
local function f() error('deep') end f()
local function f() error('deep',2) end
f()
return nil .. 'x'
local x = nil return x.y
local x = {} return x.y.z
return 1 + {}
return 1 < 'a'
return {} < {}
return #nil
return nosuch
return nosuch.field
nosuch()
nosuch = 1
function nosuch() end
local x = nosuch or 5 return x
return _G.nosuch
_G.nosuch = 1
_G['a'] = 1
return rawget(_G,'nosuch')
rawset(_G,'nosuch',1)
setmetatable(_G,{})
setmetatable(redis,{})
getmetatable(_G).__index = nil
getmetatable(_G).x = 1
return type(getmetatable(_G))
return type(getmetatable(_G).__index)
return getmetatable(redis) == nil
return getmetatable(string) == nil
return getmetatable('').__index == string
getmetatable('').__index = nil
getmetatable('').__index.x = nil
redis = 1
redis.call = nil
redis.x = 1
string.format = nil
string.x = 1
table.insert(_G,1)
table.insert(redis,'x')
math.random = nil
cjson.encode = nil
cmsgpack.x = 1
bit.x = 1
struct.x = 1
coroutine.x = 1
KEYS = 1
KEYS[1] = 'x' return KEYS[1]
ARGV[9] = 'x' return ARGV[9]
return print
return dofile
return loadfile
return require
return module
return package
return io
return debug
return newproxy
return setfenv
return getfenv
x =
return +
return 'unfinished
for
end
if true then
return return
goto x
local function f() return f() + 1 end return f()
local function f() return f() end local t = 1 if t == 2 then f() end return 'x'
return unpack({1,2,3},1,8000000)
return string.rep('x',-1)
return ('x'):rep(3)
return ('abc'):upper():lower():len()
return string.format('%d',1.5)
return string.format('%s',nil)
return string.format('%d','x')
return string.char(256)
return tonumber('0x10')
return tonumber('z',36)
return tostring(nil)
return tostring(1e15)
return tostring(0.1)
return select('#',1,nil,nil)
return select(2,'a','b')
return select(0)
return pairs(nil)
return ipairs()
return next({})
return next(nil)
return type()
return assert(false)
return assert(false,'said')
return assert(nil,'said')
return assert(1,'said')
return setmetatable(1,{})
return loadstring('return 5')()
return loadstring('x =')
return {loadstring('x =')}
return loadstring('a = 1')()
return loadstring('return nosuch')()
return {loadstring(string.char(27)..'Lua')}
return {loadstring(string.dump(function() return 1 end)) == nil}
return load(function() return nil end)()
local done return load(function() if not done then done = true return 'return 7' end end)()
return {pcall(load,1)}
return math.random(0)
return math.random(5,1)
return math.random(1,2,3)
return math.floor(-1.5)
return math.huge
return math.pi
return math.fmod(7,3)
return math.max(1,5,3)
return math.max()
return table.concat({1,2,3},',')
return table.concat({1,{},3})
return table.concat(redis)
local t={3,1,2} table.sort(t) return t
local t={3,1,2} table.sort(t,function(a,b) return a>b end) return t
table.sort({1,'a'})
local t={1} table.insert(t,2) table.insert(t,1,0) return t
local t={1,2,3} return {table.remove(t),table.remove(t,1),#t}
table.insert({},1,2,3)
table.insert(nil,1)
return table.getn({1,2})
return table.maxn({[10]=1})
table.foreach({1},function(k,v) redis.call('set','k'..k,v) end) return redis.call('get','k1')
local n=0 for k in pairs(redis) do n=n+1 end return n > 20
local n={} for k in pairs(struct) do n[#n+1]=k end table.sort(n) return n
local n={} for k in pairs(_G) do n[#n+1]=k end table.sort(n) local r={} for i,k in ipairs(n) do if k ~= 'os' then r[#r+1]=k..':'..type(_G[k]) end end return r
local n={} for k in next,redis do n[#n+1]=k end table.sort(n) return n
local n={} for k in pairs(cjson) do if k ~= 'x' then n[#n+1]=k end end table.sort(n) return n
local n={} for k in pairs(math) do n[#n+1]=k end table.sort(n) return n
local n={} for k in pairs(table) do n[#n+1]=k end table.sort(n) return n
local n={} for k in pairs(string) do n[#n+1]=k end table.sort(n) return n
local n={} for k in pairs(bit) do n[#n+1]=k end table.sort(n) return n
local n={} for k in pairs(cmsgpack) do n[#n+1]=k end table.sort(n) return n
return {cmsgpack._NAME,cmsgpack._VERSION,cjson._NAME,cjson._VERSION,_VERSION}
local co=coroutine.create(function(a) local b=coroutine.yield(a+1) return b*2 end) return {select(2,coroutine.resume(co,1)),select(2,coroutine.resume(co,10))}
local co=coroutine.create(function() return redis.call('get','s') end) return {coroutine.resume(co)}
local co=coroutine.wrap(function() error('in co') end) co()
coroutine.yield(1)
return string.gsub('hello','l','L')
return string.find('hello','(l)(l)')
return string.match('key=val','(%w+)=(%w+)')
local r={} for w in string.gmatch('a b c','%a') do r[#r+1]=w end return r
return redis.error_reply('x y')
return redis.error_reply('-x y')
return redis.error_reply('-x')
return redis.error_reply('x')
return redis.error_reply('')
return redis.error_reply('-')
return redis.error_reply(1,2)
return redis.error_reply()
return redis.error_reply(5)
return redis.error_reply({})
return redis.error_reply('MY code here')
return redis.status_reply('x')
return redis.status_reply('x\\ny')
return redis.status_reply()
return redis.status_reply(1,2)
error(redis.error_reply('MY code'))
return redis.sha1hex()
return redis.sha1hex('')
return redis.sha1hex('a')
return redis.sha1hex(1)
return redis.sha1hex({})
return redis.sha1hex('a','b')
return redis.log()
return redis.log(1)
return redis.log(9,'x')
return redis.log(-1,'x')
return redis.log('a','x')
return redis.log(redis.LOG_WARNING,'x','y',3)
return {redis.LOG_DEBUG,redis.LOG_VERBOSE,redis.LOG_NOTICE,redis.LOG_WARNING}
return {redis.REPL_ALL,redis.REPL_AOF,redis.REPL_REPLICA,redis.REPL_SLAVE,redis.REPL_NONE}
return redis.setresp()
return redis.setresp(4)
return redis.setresp('a')
return redis.setresp('3')
return redis.setresp(1,2)
return redis.set_repl()
return redis.set_repl(9)
return redis.set_repl(redis.REPL_ALL)
return redis.set_repl(redis.REPL_NONE)
return redis.replicate_commands()
return redis.breakpoint()
return redis.debug('x')
return redis.acl_check_cmd()
return redis.acl_check_cmd('nope')
return redis.acl_check_cmd('get','a')
return redis.acl_check_cmd('get')
return redis.acl_check_cmd(nil)
return type(redis.REDIS_VERSION)
return type(__redis__err__handler)
return redis.nosuch
return redis.nosuch()
"""

LIBRARIES = """
return cjson.encode({1,2,3})
return cjson.encode({})
return cjson.encode({a=1})
return cjson.encode({1,2,{a={}}})
return cjson.encode('text "quoted" \\n / \\\\ \\1 \\127 \\195\\169')
return cjson.encode(1.5)
return cjson.encode(0.1)
return cjson.encode(1e100)
return cjson.encode(100000000000000000)
return cjson.encode(-0)
return cjson.encode(true)
return cjson.encode(nil)
return cjson.encode(cjson.null)
return cjson.encode({1,nil,3})
return cjson.encode({[1]=1,[5]=5})
return cjson.encode({[1]=1,[1000]=2})
return cjson.encode({[1.5]=1})
return cjson.encode({[-1]=1})
return cjson.encode({[true]=1})
return cjson.encode(function() end)
return cjson.encode({f=function() end})
return cjson.encode(1/0)
return cjson.encode(0/0)
return cjson.encode()
return cjson.encode(1,2)
local t={} t.t=t return cjson.encode(t)
local t={} for i=1,999 do t={t} end return #cjson.encode(t)
local t={} for i=1,1001 do t={t} end return #cjson.encode(t)
return cjson.decode('[1,2,3]')
return cjson.decode('{"a":1}').a
return cjson.decode('{"a":{"b":[1,{"c":"d"}]}}').a.b[2].c
return cjson.decode('"text"')
return cjson.decode('"\\\\u00e9\\\\n\\\\u0000\\\\ud83d\\\\ude00"')
return cjson.decode('"\\\\ud83d"')
return cjson.decode('1.5e3')
return cjson.decode('0x10')
return cjson.decode('true')
return cjson.decode('null') == cjson.null
return cjson.decode('[null]')[1] == cjson.null
return cjson.decode('')
return cjson.decode('{')
return cjson.decode('{"a":1')
return cjson.decode('{"a" 1}')
return cjson.decode('[1,2')
return cjson.decode('[1,,2]')
return cjson.decode('nope')
return cjson.decode('[1] x')
return cjson.decode('"unfinished')
return cjson.decode('{1:2}')
return cjson.decode('nan') ~= nil
return cjson.decode('-inf')
return cjson.decode(nil)
return cjson.decode({})
return cjson.decode()
return cjson.decode('a','b')
return cjson.decode(5)
return cjson.decode(string.rep('[',1001)..string.rep(']',1001))
return #cjson.decode(string.rep('[',1000)..string.rep(']',1000))
return {cjson.encode_sparse_array(true,2,10)}
cjson.encode_sparse_array(true,2,10) return cjson.encode({[1]=1,[1000]=2})
return {cjson.encode_sparse_array()}
return {cjson.encode_max_depth(10)}
local t={} for i=1,11 do t={t} end return cjson.encode(t)
return cjson.encode_max_depth(0)
return cjson.encode_max_depth(1000)
return cjson.decode_max_depth(2)
return cjson.decode('[[[1]]]')
return cjson.decode_max_depth(1000)
return cjson.encode_number_precision(3)
return cjson.encode(3.14159)
return cjson.encode_number_precision(14)
return cjson.encode_number_precision(17)
return cjson.encode_number_precision(14)
return cjson.encode_keep_buffer()
return cjson.encode_invalid_numbers()
return cjson.encode_invalid_numbers('null')
return cjson.encode({1/0})
return cjson.encode_invalid_numbers(false)
return cjson.decode_invalid_numbers(false)
return cjson.decode('nan')
return cjson.decode_invalid_numbers(true)
return cjson.encode_invalid_numbers('x')
return type(cjson.new)
return cjson.new().encode({1})
return cjson.new().decode('[1')
return cjson.encode(cjson.decode('{"list":[1,2,3],"empty":{},"none":[]}').list)
return cjson.encode(cjson.decode('[]'))
return cjson.encode(redis.call('lrange','l',0,-1))
return cjson.encode({KEYS,ARGV})
return cmsgpack.pack(1)
return cmsgpack.pack(127)
return cmsgpack.pack(128)
return cmsgpack.pack(255)
return cmsgpack.pack(256)
return cmsgpack.pack(65535)
return cmsgpack.pack(65536)
return cmsgpack.pack(4294967295)
return cmsgpack.pack(4294967296)
return cmsgpack.pack(2^53)
return cmsgpack.pack(2^63)
return cmsgpack.pack(-1)
return cmsgpack.pack(-32)
return cmsgpack.pack(-33)
return cmsgpack.pack(-128)
return cmsgpack.pack(-129)
return cmsgpack.pack(-32768)
return cmsgpack.pack(-32769)
return cmsgpack.pack(-2147483648)
return cmsgpack.pack(-2147483649)
return cmsgpack.pack(1.5)
return cmsgpack.pack(0.1)
return cmsgpack.pack(1e300)
return cmsgpack.pack(1/0)
return cmsgpack.pack(true)
return cmsgpack.pack(false)
return cmsgpack.pack(nil)
return cmsgpack.pack('')
return cmsgpack.pack('text')
return cmsgpack.pack(string.rep('x',31))
return cmsgpack.pack(string.rep('x',32))
return cmsgpack.pack(string.rep('x',255))
return cmsgpack.pack(string.rep('x',256))
return cmsgpack.pack(string.rep('x',65536))
return cmsgpack.pack({})
return cmsgpack.pack({1,2,3})
return cmsgpack.pack({1,2,nil,4})
return cmsgpack.pack({a=1})
return cmsgpack.pack({[1]=1,[3]=3})
return cmsgpack.pack({[1.5]=1})
return cmsgpack.pack({{},{{}},{a={}}})
local t={} for i=1,16 do t[i]=i end return cmsgpack.pack(t)
local t={} for i=1,70000 do t[i]=i%100 end return redis.sha1hex(cmsgpack.pack(t))
local t={} for i=1,20 do t={t} end return cmsgpack.pack(t)
local t={} for i=1,15 do t={t} end return cmsgpack.pack(t)
local t={} for i=1,16 do t={a=t} end return cmsgpack.pack(t)
return cmsgpack.pack(1,'two',{3})
return cmsgpack.pack()
return cmsgpack.pack(function() end)
return cmsgpack.pack(cjson.null)
return {cmsgpack.unpack(cmsgpack.pack(1,'two',{3,4}))}
return cmsgpack.unpack(cmsgpack.pack({a={1,2,{b='c'}}})).a[3].b
return {cmsgpack.unpack(cmsgpack.pack(true,false,5))}
return {cmsgpack.unpack(cmsgpack.pack(-1,-200,-70000,-2^40,200,70000,2^40))}
return tostring(cmsgpack.unpack(cmsgpack.pack(0.1)))
return tostring(cmsgpack.unpack(cmsgpack.pack(1.5)))
return cmsgpack.unpack('')
return cmsgpack.unpack('\\146\\1')
return cmsgpack.unpack('\\193')
return cmsgpack.unpack('\\220\\255\\255')
return cmsgpack.unpack('\\221\\255\\255\\255\\255')
return cmsgpack.unpack('\\223\\255\\255\\255\\255')
return cmsgpack.unpack('\\219\\255\\255\\255\\255x')
return cmsgpack.unpack('\\129\\1')
return cmsgpack.unpack('\\196\\2ab')
return cmsgpack.unpack('\\212\\1a')
return cmsgpack.unpack(5)
return cmsgpack.unpack({})
return cmsgpack.unpack()
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3))}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),1)}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),2)}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),3)}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),4)}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),-1)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),2)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),2,1)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),0)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),0,1)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),10)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),-1)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3))}
return {bit.band(12,10),bit.bor(12,10),bit.bxor(12,10),bit.bnot(0)}
return {bit.lshift(1,31),bit.rshift(-1,28),bit.arshift(-8,1),bit.rol(1,33),bit.ror(1,1)}
return {bit.tobit(2^32+5),bit.tohex(255),bit.tohex(255,4),bit.tohex(-1,-8),bit.bswap(1)}
return bit.band()
return bit.band('x')
return struct.pack('>I4',1)
return struct.pack('<i2',-2)
return struct.pack('bBhHlL',-1,255,-2,65535,-3,3)
return struct.pack('>bBhHlL',-1,255,-2,65535,-3,3)
return struct.pack('!8 b i8',1,2)
return struct.pack('!4bi',1,2)
return struct.pack('f',1.5)
return struct.pack('>d',0.1)
return struct.pack('s','text')
return struct.pack('c3','text')
return struct.pack('c10','text')
return struct.pack('c0','text')
return struct.pack('I4c0',4,'text')
return struct.pack('xxb',1)
return struct.pack('i16',1)
return struct.pack('i33',1)
return struct.pack('i3',-1)
return struct.pack('T',7)
return struct.pack('y',1)
return struct.pack('!3',1)
return struct.pack('i')
return struct.pack('i','x')
return struct.pack()
return struct.pack('i99999999999',1)
return {struct.unpack('>I4','\\0\\0\\1\\0')}
return {struct.unpack('<i2i2','\\254\\255\\1\\0')}
return {struct.unpack('bB','\\255\\255')}
return {struct.unpack('s','text\\0more')}
return {struct.unpack('s','text')}
return {struct.unpack('c3','text')}
return {struct.unpack('Bc0','\\3abcdef')}
return {struct.unpack('c0','abc')}
return {struct.unpack('Bc0','\\9abc')}
return {struct.unpack('I4','ab')}
return {struct.unpack('I4','abcdefgh',5)}
return {struct.unpack('I4','abcdefgh',6)}
return {struct.unpack('I4','abcdefgh',0)}
return {struct.unpack('i8','\\255\\255\\255\\255\\255\\255\\255\\255')}
return {struct.unpack('>i3','\\255\\255\\254')}
return tostring(struct.unpack('>d',struct.pack('>d',0.1)))
return tostring(struct.unpack('f',struct.pack('f',1.5)))
return {struct.unpack('c2147483647','x')}
return {struct.unpack('i16',string.rep('\\1',16))}
return {struct.size('i4'),struct.size('!8bi8'),struct.size('>HHl'),struct.size('x')}
return struct.size('s')
return struct.size('c0')
return struct.size('y')
return struct.size('c99')
"""

SHEBANGS = [
    "#!lua\nreturn 1",
    "#!lua\nreturn redis.call('set','n',1)",
    "#!lua\nerror('second line')",
    "#!lua flags=no-writes\nreturn redis.call('get','s')",
    "#!lua flags=no-writes\nreturn redis.call('set','n',1)",
    "#!lua flags=no-writes\nreturn redis.pcall('set','n',1)",
    "#!lua flags=no-writes\nreturn redis.call('publish','c','m')",
    "#!lua flags=no-writes,allow-stale,allow-oom,no-cluster,allow-cross-slot-keys\nreturn 1",
    "#!lua flags=foo\nreturn 1",
    "#!lua flags=no-writes,foo\nreturn 1",
    "#!lua flags=\nreturn 1",
    "#!lua foo=bar\nreturn 1",
    "#!lua name=x\nreturn 1",
    "#!luaa\nreturn 1",
    "#!python\nreturn 1",
    "#!\nreturn 1",
    "#!lua",
    "#!lua flags='no-writes'\nreturn 1",
    "#!lua \"unbalanced\nreturn 1",
    "#!lua flags=no-writes flags=allow-oom\nreturn 1",
    "#\nreturn 1",
    " #!lua\nreturn 1",
]


def lines(text):
    return [line.replace("\\\\", "\\") for line in text.splitlines() if line]


ALL = lines(CONVERSIONS) + lines(CALLS) + lines(ERRORS) + lines(LIBRARIES) + SHEBANGS
