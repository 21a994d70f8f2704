//! The same conversation with a WebAssembly guest in wasmtime. The guest is written by hand: it hands
//! its messages over and takes replies in, and neither reads nor makes any, so a command compiled to
//! WebAssembly can only take longer. The host's side is whole.

use playdock_plugin_api::messages::{self, Response};
use wasmtime::{Caller, Engine, Extern, Linker, Memory, Module, Store, TypedFunc};

/// Where the guest takes requests and replies in.
const TAKEN_IN: usize = 4096;

/// The guest, warm.
pub(crate) struct Guest {
    store: Store<()>,
    memory: Memory,
    invoke: TypedFunc<(u32, u32), u64>,
}

impl Guest {
    /// Starts a guest that makes these calls and answers so. `host` replies to its calls.
    pub(crate) fn start(calls: [&[u8]; 2], response: &[u8], host: fn(&[u8]) -> Vec<u8>) -> Guest {
        let places = [0, 1024, 2048];
        let messages = [calls[0], calls[1], response];
        let engine = Engine::default();
        let module = Module::new(&engine, text(places, messages.map(<[u8]>::len))).unwrap();
        let mut linker = Linker::new(&engine);
        let call = move |mut caller: Caller<'_, ()>, at: u32, length: u32| -> u32 {
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                panic!("the guest has no memory")
            };
            let at = at as usize;
            let reply = host(&memory.data(&caller)[at..at + length as usize]);
            memory.write(&mut caller, TAKEN_IN, &reply).unwrap();
            u32::try_from(reply.len()).unwrap()
        };
        linker.func_wrap("host", "call", call).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        for (place, message) in places.into_iter().zip(messages) {
            memory.write(&mut store, place, message).unwrap();
        }
        let invoke = instance.get_typed_func(&mut store, "invoke").unwrap();
        Guest { store, memory, invoke }
    }

    /// One call: the request goes in, the guest makes its calls, and its response is read.
    pub(crate) fn call(&mut self, request: &[u8]) {
        self.memory.write(&mut self.store, TAKEN_IN, request).unwrap();
        let length = u32::try_from(request.len()).unwrap();
        let taken_in = u32::try_from(TAKEN_IN).unwrap();
        let response = self.invoke.call(&mut self.store, (taken_in, length)).unwrap();
        let (at, length) = ((response >> 32) as usize, (response & 0xFFFF_FFFF) as usize);
        let response = self.memory.data(&self.store)[at..at + length].to_vec();
        let Response::Finished(_) = messages::read(&response).unwrap() else {
            panic!("not finished")
        };
    }
}

/// The guest's text: it makes two calls and answers with its response, which lie at these places.
fn text(places: [usize; 3], lengths: [usize; 3]) -> String {
    let [first, second, response] = places;
    let [of_first, of_second, of_response] = lengths;
    format!(
        "(module
            (import \"host\" \"call\" (func $call (param i32 i32) (result i32)))
            (memory (export \"memory\") 1)
            (func (export \"invoke\") (param i32 i32) (result i64)
                (drop (call $call (i32.const {first}) (i32.const {of_first})))
                (drop (call $call (i32.const {second}) (i32.const {of_second})))
                (i64.const {})))",
        (response << 32) | of_response
    )
}
